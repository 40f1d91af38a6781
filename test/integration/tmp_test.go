//go:build integration

package integration
import ("testing";"time";"kubernaut.io/dynamic-toolset/test/integration/testenv";"os/exec";"os";"fmt"
metav1 "k8s.io/apimachinery/pkg/apis/meta/v1")
func TestTmp(t *testing.T) {
	env := testenv.Start(t)
	n := 100000
	start := time.Now()
	env.Fill(t, n, true)
	t.Logf("%d %s", n, time.Since(start))
	start = time.Now()
	l, err := env.Client.CoreV1().Services("").List(t.Context(), metav1.ListOptions{ResourceVersion: "0"})
	t.Log(len(l.Items), err, time.Since(start))
	b := env.Create(t, testenv.Service{Namespace: "x", Name: "x", Number: 80})
	t.Log(b.Spec.ClusterIP)
	r := env.Run(t, env.Kubeconfig(), "discover", "--probe=off")
	t.Log(r.Code, r.Took, r.MaxRSS>>20, r.Stderr)
	out, _ := exec.Command("sh", "-c", "grep -v refresh $0 | tail -5; grep -ci repair $0; grep -i 'repairip\\|ipallocator-repair' $0 | tail -5; ps -C kube-apiserver,etcd -o rss,args | cut -c1-60", testenv.APIServerLog(env)).CombinedOutput()
	t.Logf("%s", out)
	fmt.Println("READY"); if os.Getenv("HANG") != "" { select {} }
}
