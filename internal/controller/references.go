package controller

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// ReferenceMove is a change of the Service to which a variable of HolmesGPT's environment goes.
type ReferenceMove struct {
	Variable string
	Toolset  string
	From, To string // the Service, or the instance's name if the Service is not known; "" for none
}

// holder is an instance to which a variable goes.
type holder struct {
	variable, toolset, instance string
}

// references are the holders in a document, each with its Service.
type references map[holder]string

// moveReferences returns the references that the last publication added, removed or moved. For the first publication of
// a process, the old references are read from the ConfigMap.
func (m *memory) moveReferences(before *corev1.ConfigMap, doc *toolset.Document, written bool) []ReferenceMove {
	if doc == nil || m.references != nil && !written {
		return nil
	}
	old := m.references
	if old == nil && before != nil {
		old = holders(toolset.VariablesIn(before.Data[toolset.KeyHolmesGPT]), func(v toolset.Variable) string {
			for _, i := range m.published {
				if i.Name == v.Instance {
					return i.Service.String()
				}
			}
			return v.Instance
		})
	}
	m.references = holders(doc.Variables(), func(v toolset.Variable) string {
		if i := slices.IndexFunc(doc.Backends[v.Toolset], v.IsFor); i >= 0 {
			return doc.Backends[v.Toolset][i].Ref.String()
		}
		return v.Instance
	})
	return moves(old, m.references)
}

// holders returns the references to variables, each with the Service that it goes to.
func holders(variables []toolset.Variable, service func(toolset.Variable) string) references {
	out := references{}
	for _, v := range variables {
		out[holder{v.Name, v.Toolset, v.Instance}] = service(v)
	}
	return out
}

// moves returns the differences, sorted. If a variable of a toolset left one holder and went to another, it moved.
func moves(old, now references) (list []ReferenceMove) {
	for _, h := range slices.SortedFunc(maps.Keys(old), holder.compare) {
		if _, still := now[h]; !still {
			list = append(list, ReferenceMove{Variable: h.variable, Toolset: h.toolset, From: old[h]})
		}
	}
	for _, h := range slices.SortedFunc(maps.Keys(now), holder.compare) {
		if _, before := old[h]; before {
			continue
		}
		moved := func(m ReferenceMove) bool { return m.Variable == h.variable && m.Toolset == h.toolset && m.To == "" }
		if i := slices.IndexFunc(list, moved); i >= 0 && list[i].From == now[h] {
			list = slices.Delete(list, i, i+1) // the same Service with another instance name
		} else if i >= 0 {
			list[i].To = now[h]
		} else {
			list = append(list, ReferenceMove{Variable: h.variable, Toolset: h.toolset, To: now[h]})
		}
	}
	return list
}

func (h holder) compare(o holder) int {
	return cmp.Or(strings.Compare(h.variable, o.variable), strings.Compare(h.toolset, o.toolset),
		strings.Compare(h.instance, o.instance))
}
