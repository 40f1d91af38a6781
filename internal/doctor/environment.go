package doctor

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// source is a key from which a variable can get its value.
type source struct {
	Object
	key      string
	optional bool // without the Object the pod starts all the same
}

// lookup returns where a variable gets its value. set is true if env sets it: to plain text, to a key in the only
// source, or to something else of the pod. Otherwise its value is in one of the sources of envFrom, or in none.
func (e *examination) lookup(name string) (plain *string, sources []source, set bool) {
	add := func(kind, object, key string, optional *bool) {
		ref := backend.Ref{Namespace: e.workload.Namespace, Name: object}
		sources = append(sources, source{Object{kind, ref}, key, optional != nil && *optional})
	}
	for i := range slices.Backward(e.container.Env) { // of two the last counts
		v := &e.container.Env[i]
		switch from := v.ValueFrom; {
		case v.Name != name:
			continue
		case from == nil:
			plain = &v.Value
		case from.SecretKeyRef != nil:
			add(KindSecret, from.SecretKeyRef.Name, from.SecretKeyRef.Key, from.SecretKeyRef.Optional)
		case from.ConfigMapKeyRef != nil:
			add(KindConfigMap, from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key, from.ConfigMapKeyRef.Optional)
		}
		return plain, sources, true
	}
	for _, from := range e.container.EnvFrom {
		key, fits := strings.CutPrefix(name, from.Prefix)
		switch {
		case !fits:
		case from.SecretRef != nil && from.SecretRef.Name != "":
			add(KindSecret, from.SecretRef.Name, key, from.SecretRef.Optional)
		case from.ConfigMapRef != nil && from.ConfigMapRef.Name != "":
			add(KindConfigMap, from.ConfigMapRef.Name, key, from.ConfigMapRef.Optional)
		}
	}
	return nil, sources, false
}

// variable checks that a variable is set, and that the object it comes from exists. A variable that no object is known
// to hold can be in an object of envFrom that the user may not read, or that is missing.
func (e *examination) variable(name string) Check {
	plain, sources, set := e.lookup(name)
	switch {
	case plain != nil && *plain == "":
		return Check{Level: Todo, Code: CodeVariableEmpty, Name: name}
	case set && len(sources) > 0:
		return e.reference(name, sources[0])
	case set:
		return Check{Level: OK, Code: CodeVariable, Name: name}
	}
	best := Check{Level: Todo, Code: CodeVariableMissing, Name: name}
	for _, source := range sources {
		c := e.reference(name, source)
		c.Possible = true
		switch {
		case c.Level == OK:
			return c
		case c.Level == Unseen, c.Code == CodeObjectMissing && best.Level == Todo && !source.optional:
			best = c
		}
	}
	return best
}

func (e *examination) reference(name string, from source) Check {
	c := Check{Level: Todo, Name: name, Object: from.Object, Key: from.key}
	switch keys := e.facts.Keys[c.Object]; {
	case keys.Unseen:
		c.Level, c.Code, c.Right = Unseen, CodeObjectUnseen, c.Object.KeysRight()
	case !keys.Exists:
		c.Code = CodeObjectMissing
	case slices.Contains(keys.Names, from.key):
		c.Level, c.Code = OK, CodeVariable
	case keys.Unlisted:
		c.Level, c.Code = Unseen, CodeKeyUnlisted
	default:
		c.Code = CodeKeyMissing
	}
	return c
}
