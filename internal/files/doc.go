// Package files is what there is without a cluster: Services come from files, and the toolsets go into a directory
// that is kept right.
//
// Read reads Services and EndpointSlices once, for commands. Source follows files, as the watches do with a cluster.
// What was last read well of a file stays in force while the file cannot be read, or not in full.
//
// Output shows a directory as a ConfigMap: each file with the name of a generated key, and overrides.yaml, is an
// entry of its data, and another directory of the same name is another ConfigMap. So what the controller knows about
// drift, overrides and a ConfigMap that was deleted holds here too.
//
// DirLock keeps a directory for one process.
package files
