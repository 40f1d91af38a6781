//go:build integration

package testenv

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// ServiceCIDR is where the API server takes ClusterIPs from.
const ServiceCIDR = "127.64.0.0/12"

// Where the ConfigMap is unless the configuration says otherwise.
const (
	OutputNamespace = "kubernaut-system"
	ConfigMapName   = "kubernaut-toolset-config"
)

// Env is a cluster without nodes. It ends with the test.
type Env struct {
	Etcd      *Server // nil in a shared cluster, as APIServer is
	APIServer *Server
	// Config and Client are those of an admin, with no limit on requests but the API server's.
	Config *rest.Config
	Client *kubernetes.Clientset

	dir        string
	assets     string
	kubeconfig string
	etcdURL    string
	mu         sync.Mutex
	count      int // see next
}

// Option changes how the cluster is started.
type Option func(*envtest.ControlPlane)

// APIServerFlag sets a flag of kube-apiserver, as in APIServerFlag("min-request-timeout", "2").
func APIServerFlag(name, value string) Option {
	return func(cp *envtest.ControlPlane) { cp.APIServer.Configure().Set(name, value) }
}

// Start starts etcd and kube-apiserver, with RBAC on and the namespace for the ConfigMap made.
func Start(t testing.TB, options ...Option) *Env {
	t.Helper()
	e := &Env{dir: t.TempDir(), assets: Assets(t)}
	t.Cleanup(func() {
		for _, s := range []*Server{e.APIServer, e.Etcd} {
			if s != nil {
				s.Kill(t)
				_ = s.log.Close()
			}
		}
	})
	e.start(t, options...)
	e.Namespace(t, OutputNamespace)
	return e
}

func (e *Env) start(t testing.TB, options ...Option) {
	t.Helper()
	cp := &envtest.ControlPlane{Etcd: &envtest.Etcd{}, APIServer: &envtest.APIServer{}}
	e.Etcd = newServer(t, e.dir, filepath.Join(e.assets, "etcd"), &cp.Etcd.Path, cp.Etcd)
	cp.Etcd.DataDir, cp.Etcd.Out, cp.Etcd.Err = e.mkdir(t, "etcd-data"), e.Etcd.log, e.Etcd.log
	e.APIServer = newServer(t, e.dir, filepath.Join(e.assets, "kube-apiserver"), &cp.APIServer.Path, cp.APIServer)
	cp.APIServer.CertDir, cp.APIServer.Out, cp.APIServer.Err = e.mkdir(t, "certs"), e.APIServer.log, e.APIServer.log
	flags := cp.APIServer.Configure()
	flags.Set("service-cluster-ip-range", ServiceCIDR)
	// The Service "kubernetes" would get the address of a network interface, which a test's own network may not have.
	flags.Set("advertise-address", "192.0.2.1")
	flags.Set("endpoint-reconciler-type", "none")
	flags.Set("shutdown-watch-termination-grace-period", "1s") // else a stop waits a minute for watches to end
	for _, o := range options {
		o(cp)
	}
	e.Etcd.Start(t)
	cp.APIServer.EtcdURL, e.etcdURL = cp.Etcd.URL, cp.Etcd.URL.String()
	e.APIServer.Start(t)
	e.connect(t, cp)
}

func (e *Env) connect(t testing.TB, cp *envtest.ControlPlane) {
	t.Helper()
	admin, err := cp.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, &rest.Config{QPS: -1})
	if err != nil {
		t.Fatalf("making an admin: %v", err)
	}
	kubeconfig, err := admin.KubeConfig()
	if err != nil {
		t.Fatalf("making the admin's kubeconfig: %v", err)
	}
	e.kubeconfig = e.write(t, "admin.kubeconfig", kubeconfig)
	e.Config = admin.Config()
	e.Config.ContentType = runtime.ContentTypeProtobuf
	e.Config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	if e.Client, err = kubernetes.NewForConfig(e.Config); err != nil {
		t.Fatalf("connecting as admin: %v", err)
	}
}

// Kubeconfig is the path of the admin's kubeconfig.
func (e *Env) Kubeconfig() string { return e.kubeconfig }

// Namespace makes a namespace if it is not there.
func (e *Env) Namespace(t testing.TB, name string) {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := e.Client.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatalf("namespace %s: %v", name, err)
	}
}

// ConfigMap is the one with the toolsets, nil while there is none.
func (e *Env) ConfigMap(t testing.TB) *corev1.ConfigMap {
	t.Helper()
	cm, err := e.Client.CoreV1().ConfigMaps(OutputNamespace).Get(t.Context(), ConfigMapName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatalf("reading the ConfigMap: %v", err)
	}
	return cm
}

// Kubectl runs the real kubectl as the admin, with in as standard input, and returns what it printed.
func (e *Env) Kubectl(t testing.TB, in string, args ...string) string {
	t.Helper()
	r := e.TryKubectl(t, in, args...)
	if r.Code != 0 {
		t.Fatalf("kubectl %s: exit %d\n%s", strings.Join(args, " "), r.Code, r.Stderr)
	}
	return r.Stdout
}

// TryKubectl is Kubectl for what may fail.
func (e *Env) TryKubectl(t testing.TB, in string, args ...string) Result {
	t.Helper()
	return e.run(t, in, filepath.Join(e.assets, "kubectl"), append([]string{"--kubeconfig", e.kubeconfig}, args...))
}

func (e *Env) mkdir(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join(e.dir, name)
	must(t, os.Mkdir(dir, 0o700))
	return dir
}

func (e *Env) write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(e.dir, name)
	must(t, os.WriteFile(path, data, 0o600))
	return path
}

// Assets is the folder with etcd, kube-apiserver and kubectl, which are built if they are not there.
func Assets(t testing.TB) string {
	t.Helper()
	out, err := buildAssets()
	must(t, err)
	return out
}

var buildAssets = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv("KUBEBUILDER_ASSETS"); dir != "" {
		return dir, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	return output(exec.CommandContext(context.Background(), filepath.Join(root, "test", "controlplane", "build"))) //nolint:gosec // constant but for the folder
})
