package view

import (
	"strconv"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// portText returns a port as name:number->target.
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

// portList lists at most ten ports of a Service.
func portList(s *backend.Service) string {
	var list []string
	for i := range s.Ports {
		text := portText(&s.Ports[i])
		if p := s.Ports[i].Protocol; p != "TCP" {
			text += "/" + show(p)
		}
		list = append(list, text)
	}
	return few(list, 10)
}
