package reference

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Event is one kind of Kubernetes Event that the service records.
type Event struct {
	Reason  string
	Warning bool
	On      string // ConfigMap or Service
	Note    string // what it says, "…" for what differs
}

// Events are all of them, by reason.
func Events(root string) ([]Event, error) {
	s, err := parse(dir(root, "internal/controller"))
	if err != nil {
		return nil, err
	}
	var list []Event
	var bad error
	for _, file := range s.files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			e, isEvent, err := eventOf(call)
			if err != nil && bad == nil {
				bad = err
			}
			if isEvent && !slices.Contains(list, e) {
				list = append(list, e)
			}
			return true
		})
	}
	slices.SortFunc(list, func(a, b Event) int { return strings.Compare(a.Reason, b.Reason) })
	if bad == nil && len(list) == 0 {
		bad = fmt.Errorf("no Events found in internal/controller")
	}
	return list, bad
}

// eventOf reads a call such as r.Events.ConfigMap(true, "PublishFailed", note).
func eventOf(call *ast.CallExpr) (e Event, ok bool, err error) {
	method, isMethod := call.Fun.(*ast.SelectorExpr)
	if !isMethod {
		return e, false, nil
	}
	on, isField := method.X.(*ast.SelectorExpr)
	if !isField || on.Sel.Name != "Events" || method.Sel.Name != "ConfigMap" && method.Sel.Name != "Service" {
		return e, false, nil
	}
	args := call.Args
	if method.Sel.Name == "Service" {
		args = args[1:]
	}
	warning, okWarning := args[0].(*ast.Ident)
	reason, okReason := args[1].(*ast.BasicLit)
	if !okWarning || !okReason || reason.Kind != token.STRING {
		return e, true, fmt.Errorf("an Event whose kind or reason is no literal cannot be described")
	}
	e = Event{Warning: warning.Name == "true", On: method.Sel.Name, Note: note(args[2])}
	e.Reason, err = strconv.Unquote(reason.Value)
	return e, true, err
}

var verbs = regexp.MustCompile(`%[a-z]`)

// note is the text of an expression; what it does not hold itself is "…".
func note(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return text
		}
	case *ast.BinaryExpr:
		return note(e.X) + note(e.Y)
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" {
			return strings.ReplaceAll(verbs.ReplaceAllString(note(e.Args[0]), "…"), "……", "…")
		}
	}
	return "…"
}

func eventsPage(root string) (Page, error) {
	p := Page{Name: "events.md", Title: "Events", About: "every Kubernetes Event that is recorded"}
	list, err := Events(root)
	if err != nil {
		return p, err
	}
	var m markdown
	m.para("On the ConfigMap and on Services, by the replica that leads; `kubectl describe` shows them. Each is told once and " +
		"again when it has changed; what stays the same on the ConfigMap is counted up. A Warning wants somebody to act: " +
		"[troubleshooting](../troubleshooting.md) says how.")
	var rows [][]string
	for _, e := range list {
		kind := "Normal"
		if e.Warning {
			kind = "Warning"
		}
		says := prose(e.Note)
		if says == "…" {
			says = "what is wrong, and what to do about it"
		}
		rows = append(rows, []string{span(e.Reason), kind, e.On, says})
	}
	m.table([]string{"reason", "type", "on", "what it says"}, rows)
	p.Text = m.String()
	return p, nil
}
