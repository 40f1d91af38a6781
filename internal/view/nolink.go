package view

import "kubernaut.io/dynamic-toolset/internal/backend"

// NoLink is an object that leads to a backend but gives it no link.
type NoLink struct {
	Object string         `json:"object" doc:"The object, such as Ingress namespace/name; empty for the link itself"`
	URL    string         `json:"url" doc:"The host and path that it leads to, if known; only shown, never requested"`
	Code   backend.NoLink `json:"code"`
	Reason string         `json:"reason" doc:"The text for the code"`
}

// String describes it in one line.
func (n *NoLink) String() string {
	switch {
	case n.Object == "":
		return n.Reason
	case n.URL == "":
		return n.Object + ": " + n.Reason
	}
	return n.Object + ", " + n.URL + ": " + n.Reason
}

// noLinks describes the objects that give a finding no link.
func noLinks(f *backend.Finding) []NoLink {
	list := []NoLink{}
	for i := range f.NoLinks {
		e := &f.NoLinks[i]
		list = append(list, NoLink{Object: e.By, URL: e.Host + e.Path, Code: e.Not, Reason: noLinkTexts[e.Not]})
	}
	return list
}

// noLinkTexts holds the text of each code.
var noLinkTexts = map[backend.NoLink]string{
	backend.NoLinkHost: "it has no host, or a wildcard host",
	backend.NoLinkNotAllowed: "links from this namespace must not lead to that host: security.allowedLinkHosts does " +
		"not list the host, and security.trustedNamespaces does not list the namespace",
	backend.NoLinkPath: "its path is exact or a regular expression, not a prefix of everything that the backend serves",
	backend.NoLinkMatch: "it matches only requests with a header, " +
		"a query or a method that a browser does not send by default",
	backend.NoLinkRewritten: "an annotation or a filter rewrites or redirects the requests, " +
		"so a page can be at another path than the backend says",
	backend.NoLinkShared: "several backends share the requests",
	backend.NoLinkNotAdmitted: "its controller has not accepted it, for example because another namespace had the " +
		"host first (see its status)",
	backend.NoLinkNoGateway: "it belongs to no Gateway",
	backend.NoLinkPort:      "it leads to another port of the Service than the one that is used",
	backend.NoLinkPart:      "it leads to a part of the API only",
	backend.NoLinkElsewhere: "it leads to a different path than the backend's",
	backend.NoLinkForeign:   "an annotation says that the backend is at a different host than the Service",
	backend.NoLinkLong: "the paths of the links of this namespace are too long in total, " +
		"and this one is not among the oldest",
}
