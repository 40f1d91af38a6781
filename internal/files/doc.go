// Package files is for a service without a cluster: it reads Services from files, and publishes to a directory.
//
// Read reads Services and EndpointSlices once, for commands. Source reads files and follows them, as the watches do
// with a cluster. While a file cannot be read, or an object in it cannot be used, its last good content stays in force.
//
// Output shows a directory as a ConfigMap. Each file with the name of a generated key, and overrides.yaml, is an entry
// of its data. Another directory of the same name is another ConfigMap. So the controller handles drift, overrides and
// a deleted ConfigMap in the same way here.
//
// DirLock keeps a directory for one process.
package files
