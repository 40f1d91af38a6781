package view

import "kubernaut.io/dynamic-toolset/internal/backend"

// NoLink is an object that leads to a backend but gives it no link.
type NoLink struct {
	Object string         `json:"object" doc:"As Ingress namespace/name; empty for the link itself"`
	URL    string         `json:"url" doc:"Where it leads, as far as that is known: a host and a path, which are shown and nothing else"`
	Code   backend.NoLink `json:"code"`
	Reason string         `json:"reason" doc:"The same for people"`
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

// maxNoLinks limits the objects shown for a backend.
const maxNoLinks = 10

// noLinks describes the objects that give a finding no link.
func noLinks(f *backend.Finding) []NoLink {
	list := []NoLink{}
	for i := range f.NoLinks[:min(len(f.NoLinks), maxNoLinks)] {
		e := &f.NoLinks[i]
		list = append(list, NoLink{Object: e.By, URL: e.Host + e.Path, Code: e.Not, Reason: noLinkTexts[e.Not]})
	}
	return list
}

// noLinkTexts holds the text of each code.
var noLinkTexts = map[backend.NoLink]string{
	backend.NoLinkHost: "it names no host, or one that stands for several",
	backend.NoLinkNotAllowed: "links from this namespace may not lead to that host: security.allowedLinkHosts does " +
		"not list it, nor security.trustedNamespaces the namespace",
	backend.NoLinkPath: "its path is exact or a regular expression, and not the beginning of all that the " +
		"backend serves",
	backend.NoLinkMatch: "it takes only requests with a header, a query or a method, which a browser does not " +
		"send by itself",
	backend.NoLinkRewritten: "an annotation or a filter rewrites or redirects the requests, so that a page may be " +
		"at another path than the backend says",
	backend.NoLinkShared: "several backends share the requests",
	backend.NoLinkNotAdmitted: "its controller has not accepted it, as where another namespace had the host first " +
		"(see its status)",
	backend.NoLinkNoGateway: "it belongs to no Gateway",
	backend.NoLinkPort:      "it leads to another port of the Service than the one that is used",
	backend.NoLinkPart:      "it leads to a part of the API only",
	backend.NoLinkElsewhere: "it leads to another path than the one where the backend is",
	backend.NoLinkForeign:   "the backend is at another host than the Service's own, by its annotation",
	backend.NoLinkLong: "the paths of the links of this namespace are too long together, and this one is not " +
		"among the oldest",
}
