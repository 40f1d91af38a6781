//go:build monitoring

package monitoring

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/test/program"
)

// scraped is a target, with the labels that the Prometheus operator gives it.
type scraped struct {
	address, namespace string
}

// prometheus is a running one.
type prometheus struct {
	url     string
	started time.Time
}

// startPrometheus has it scrape the targets as the ServiceMonitor says, but every second, and evaluate the rules.
func startPrometheus(t *testing.T, m *monitor, rules map[string]string, targets ...scraped) *prometheus {
	t.Helper()
	dir := t.TempDir()
	static := make([]map[string]any, 0, len(targets))
	for i, x := range targets {
		static = append(static, map[string]any{"targets": []string{x.address}, "labels": map[string]string{
			"namespace": x.namespace, "service": "dynamic-toolset", "endpoint": m.Port,
			"container": "dynamic-toolset", "pod": "dynamic-toolset-" + strconv.Itoa(i),
		}})
	}
	files := make([]string, 0, len(rules))
	for name, text := range rules {
		write(t, filepath.Join(dir, name), text)
		files = append(files, name)
	}
	config, err := yaml.Marshal(map[string]any{
		"global":     map[string]string{"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
		"rule_files": files,
		"scrape_configs": []any{map[string]any{
			"job_name": "dynamic-toolset", "metrics_path": m.Path, "scheme": m.Scheme, "honor_labels": m.HonorLabels, "static_configs": static,
		}},
	})
	check(t, err)
	write(t, filepath.Join(dir, "prometheus.yml"), string(config))
	address := program.Free(t)
	program.Start(t, nil, "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--web.enable-admin-api", "--log.level=warn")
	p := &prometheus{url: "http://" + address, started: time.Now()}
	program.Eventually(t, "Prometheus is ready", func() error {
		_, err := ask(t, http.MethodGet, p.url+"/-/ready", nil)
		return err
	})
	return p
}

// alert is one as Prometheus tells of it.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	State       string            `json:"state"`
}

// firing are the alerts of a namespace by name.
func (p *prometheus) firing(t *testing.T, namespace string) (map[string]alert, error) {
	t.Helper()
	var list struct{ Alerts []alert }
	if err := p.get(t, "/api/v1/alerts", nil, &list); err != nil {
		return nil, err
	}
	all := map[string]alert{}
	for _, a := range list.Alerts {
		if a.State == "firing" && a.Labels["namespace"] == namespace {
			all[a.Labels["alertname"]] = a
		}
	}
	return all, nil
}

// fires waits for an alert and checks that its texts were expanded.
func (p *prometheus) fires(t *testing.T, namespace, name string) {
	t.Helper()
	start := time.Now()
	var found alert
	program.Eventually(t, name+" fires", func() error {
		all, err := p.firing(t, namespace)
		if err != nil {
			return err
		}
		var ok bool
		if found, ok = all[name]; !ok {
			return fmt.Errorf("it does not; what does: %v", all)
		}
		return nil
	})
	t.Logf("%s fired after %s: %s", name, time.Since(start).Round(time.Second), found.Annotations["description"])
	for key, text := range found.Annotations {
		if text == "" || strings.Contains(text, "<no value>") || strings.Contains(text, "error") || strings.Contains(text, "{{") {
			t.Errorf("%s: %s: %q", name, key, text)
		}
	}
}

// clears waits until an alert fires no more.
func (p *prometheus) clears(t *testing.T, namespace, name string) {
	t.Helper()
	start := time.Now()
	program.Eventually(t, name+" clears", func() error {
		all, err := p.firing(t, namespace)
		if _, still := all[name]; still {
			return errors.New("it still fires")
		}
		return err
	})
	t.Logf("%s cleared after %s", name, time.Since(start).Round(time.Second))
}

// passes has a window of time go by for a metric: what was scraped of it until now is dropped, or really waited for.
func (p *prometheus) passes(t *testing.T, window time.Duration, selector string) {
	t.Helper()
	if *patient {
		t.Logf("waiting %s", window)
		select {
		case <-t.Context().Done():
		case <-time.After(window):
		}
		return
	}
	_, err := ask(t, http.MethodPost, p.url+"/api/v1/admin/tsdb/delete_series", url.Values{
		"match[]": {selector}, "end": {strconv.FormatInt(time.Now().Unix(), 10)},
	})
	check(t, err)
}

// series is one of the answer to a range query.
type series struct {
	Metric map[string]string `json:"metric"`
	Values [][2]any          `json:"values"` // time, and value as text
}

// seen are the series that an expression has had since Prometheus runs, and had a number in.
func (p *prometheus) seen(t *testing.T, expression string) ([]series, error) {
	t.Helper()
	var answer struct{ Result []series }
	err := p.get(t, "/api/v1/query_range", url.Values{
		"query": {expression}, "step": {"1"},
		"start": {strconv.FormatInt(p.started.Unix(), 10)}, "end": {strconv.FormatInt(time.Now().Unix(), 10)},
	}, &answer)
	if err != nil {
		return nil, err
	}
	var list []series
	for _, s := range answer.Result {
		for _, v := range s.Values {
			text, _ := v[1].(string)
			if n, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) {
				list = append(list, s)
				break
			}
		}
	}
	return list, nil
}

func (p *prometheus) get(t *testing.T, path string, query url.Values, into any) error {
	t.Helper()
	body, err := ask(t, http.MethodGet, p.url+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	answer := struct {
		Data any `json:"data"`
	}{into}
	return json.Unmarshal(body, &answer)
}

func ask(t *testing.T, method, address string, form url.Values) ([]byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	check(t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := new(http.Client).Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s: %s: %s", address, res.Status, body)
	}
	return body, err
}
