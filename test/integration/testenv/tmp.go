//go:build integration

package testenv
func APIServerLog(e *Env) string { return e.APIServer.log.Name() }
