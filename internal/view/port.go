package view

import (
	"fmt"
	"strconv"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// portText is a port as name:number->target.
func portText(p *backend.Port) string {
	text := strconv.Itoa(int(p.Number))
	if p.Name != "" {
		text = show(p.Name) + ":" + text
	}
	if t := show(p.Target.String()); t != "0" && t != "" && t != strconv.Itoa(int(p.Number)) {
		text += "->" + t
	}
	return text
}

// portList names a Service's ports, at most ten of them.
func portList(s *backend.Service) string {
	var list []string
	for i := range s.Ports {
		if i == 10 {
			list = append(list, fmt.Sprintf("and %d more", len(s.Ports)-i))
			break
		}
		text := portText(&s.Ports[i])
		if p := s.Ports[i].Protocol; p != "TCP" {
			text += "/" + show(p)
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}
