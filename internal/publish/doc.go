// Package publish writes the keys of a document into one ConfigMap, and changes nothing else in it.
//
// It compares texts, so that a cycle without changes writes nothing. The ConfigMap comes from the caller's cache, and
// once a minute from the API server if the cache shows nothing new. It writes by server-side apply under one field
// manager, with the uid and the resourceVersion of the ConfigMap from which the keys were computed. Without the uid,
// the apply would create a deleted ConfigMap again, without its overrides.
//
// A deleted ConfigMap is created under a field manager with a random name, without force. If another writer has created
// one in the meantime, that one wins and is then treated as existing. The entry of that field manager is removed at the
// end, so that restored overrides have no owner and an admin's next apply meets no conflict. The next process removes
// the entry that a killed process left.
package publish
