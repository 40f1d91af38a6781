// Package publish writes a document's keys into the one ConfigMap, and nothing else in it.
//
// What is written is decided by comparing texts, so that a quiet cycle sends no request at all. What is written is
// written by server-side apply under one field manager, with the uid and the resourceVersion of the ConfigMap that it
// was computed from. Both are needed: an apply with a resourceVersion alone to a ConfigMap that is gone makes a new
// one, without the overrides that the old one had.
//
// A deleted ConfigMap is created under a field manager of a random name, without force: one that another writer has
// created in the meantime wins, and is then treated as existing. That field manager's entry is removed at the end, so
// that restored overrides have no owner and an admin's next apply meets no conflict. An entry that a killed process
// left is removed by the next one.
package publish
