//go:build real

package real
import "testing"
func TestSmoke(t *testing.T) { t.Log("ok") }
