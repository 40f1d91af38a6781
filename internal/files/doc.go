// Package files is what there is without a cluster: Services come from files, and the toolsets go into a directory that is kept
// right (DTS-RUN-6).
//
// Read reads Services and EndpointSlices from files once, for commands. Source follows them, as the watches do with a cluster. Of a file that cannot be read, or not in full, what was last read
// well stays in force, and nothing else suffers.
//
// Output shows a directory as a ConfigMap: each file whose name is a generated key's, and overrides.yaml, is an entry of
// its data, and another directory of the same name is another ConfigMap. So what the controller knows about drift,
// overrides and a ConfigMap that was deleted holds here too.
//
// DirLock keeps a directory for one process.
package files
