package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/files"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// directory is the directory that holds the keys as files, instead of the ConfigMap.
type directory struct {
	Path      string
	Overrides string // path of the admin's overrides; "" means overrides.yaml in the directory
}

// conflicts returns an error if the configuration has a setting that has no meaning with a directory.
func (d *directory) conflicts(c *config.Config, fromFiles bool) error {
	switch service := c.HolmesGPT.Service; {
	case fromFiles && c.Auth.Mode != config.AuthNone:
		return errors.New("auth.mode kubernetes: with -f there is no cluster that could check tokens; " +
			"leave it out, or set none")
	case c.Output.ConfigMap != config.Default().Output.ConfigMap:
		return errors.New("output.configMap: with --out no ConfigMap is written; leave it out")
	case service != config.ServiceAuto && service != config.ServiceOff:
		return errors.New("holmesgpt.service: with --out one HolmesGPT reads the directory; " +
			"set holmesgpt.url to its address, such as http://127.0.0.1:5050")
	}
	return nil
}

// into makes the runtime write to the directory of the options.
func (r *serviceRuntime) into(o *serviceOptions, log *slog.Logger) error {
	d := o.Directory
	if d.Overrides != "" {
		if _, err := os.Stat(filepath.Dir(d.Overrides)); err != nil {
			return fmt.Errorf("--overrides: %w", err)
		}
	}
	var lock *files.DirLock
	if !o.DryRun {
		var err error
		lock, err = files.Lock(d.Path)
		if err != nil && (o.Files != nil || errors.Is(err, files.ErrInUse)) {
			return err
		}
		if err != nil { // an admin can repair a pod's volume while the pod runs
			log.Warn("output directory not writable", "err", err)
		}
	}
	out, err := files.NewOutput(d.Path, files.OutputOptions{
		Overrides: d.Overrides, Lock: lock, Own: slices.Collect(maps.Keys(o.Config.Output.Keys)),
	})
	if err == nil {
		err = d.foreign(out, o.DryRun)
	}
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	r.output, r.target, r.close = out, d.Path, lock.Close
	r.events = directoryEvents{log, r.events}
	r.work = append(r.work, out.Run)
	return nil
}

// foreign returns an error if the directory has a toolset file that this service did not write: a new user may have
// one that was written by hand.
func (d *directory) foreign(out *files.Output, dryRun bool) error {
	live := out.Live()
	if dryRun || live == nil || live.Data[toolset.KeyState] != "" {
		return nil
	}
	if text, ok := live.Data[toolset.KeyHolmesGPT]; ok && !toolset.Generated(text) {
		return fmt.Errorf("%s: it is not from this service, which would replace it: move it away, "+
			"and put what should stay into %s", filepath.Join(d.Path, toolset.KeyHolmesGPT), toolset.KeyOverrides)
	}
	return nil
}

// directoryEvents logs warnings, because there is no ConfigMap to record an Event on. With a cluster it also records
// the Events of Services.
type directoryEvents struct {
	log      *slog.Logger
	services controller.Events // nil without a cluster
}

func (e directoryEvents) ConfigMap(warning bool, reason, note string) {
	if warning {
		e.log.Warn("ConfigMap warning", "reason", reason, "note", note)
	}
}

func (e directoryEvents) Service(s *backend.Service, warning bool, reason, note string) {
	if e.services != nil {
		e.services.Service(s, warning, reason, note)
	}
	if warning {
		e.log.Warn("Service warning", "namespace", s.Namespace, "service", s.Name, "reason", reason, "note", note)
	}
}

func (e directoryEvents) Clear(s *backend.Service) {
	if e.services != nil {
		e.services.Clear(s)
	}
}
