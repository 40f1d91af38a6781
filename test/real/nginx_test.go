//go:build real

package real

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fronted is what nginx listens at.
type fronted struct {
	process string
	port    int
}

// forwarded is an address at which nginx leads to the process from another port than its own.
func (l *lab) forwarded(p *process, port int) string {
	key := fronted{p.name, port}
	if ip := l.forwards[key]; ip != "" {
		return ip
	}
	ip := l.address()
	l.forwards[key] = ip
	// A process may look at the name that it is asked by, and answer with compression where that is wanted.
	l.servers = append(l.servers, fmt.Sprintf(
		"server { listen %s:%d; location / { proxy_pass %s; proxy_set_header Host $http_host; proxy_set_header Accept-Encoding $http_accept_encoding; } }",
		ip, port, p.base(),
	))
	return ip
}

// nginx is the process that has all servers.
func (l *lab) nginx() *process {
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;\n"
	}
	var temporary strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temporary, "  %s_temp_path $dir/%s;\n", kind, kind)
	}
	return &process{
		name: "nginx", product: "nginx", port: 9, args: []string{"-p", "$dir", "-e", "stderr", "-c", "$dir/nginx.conf"},
		files: map[string]string{"users": "reader:{PLAIN}secret\n", "nginx.conf": user + `daemon off;
pid $dir/nginx.pid;
worker_processes 1;
worker_rlimit_nofile 65536;
events { worker_connections 32768; }
http {
  access_log off;
` + temporary.String() + `  proxy_http_version 1.1;
  server_names_hash_bucket_size 128;
  server { listen $ip:9; return 200 "up"; }
  ` + strings.Join(l.servers, "\n  ") + "\n}\n"},
	}
}

// printed is what the program of the process prints with these arguments.
func (l *lab) printed(t *testing.T, p *process, args ...string) string {
	t.Helper()
	made := product(p.product)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(made.Folder(l.root), made.Debian.Path), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v", p.product, strings.Join(args, " "), err)
	}
	return string(out)
}
