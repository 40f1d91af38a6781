package detect

import (
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// wants is what the catalog knows that the candidate wants of its clients, each once.
func (d *Detector) wants(c *backend.Candidate) (list []backend.Want) {
	if c.ForeignHost { // which is not what the Service's labels speak of
		return nil
	}
	for i := range d.look.Wants {
		w := &d.look.Wants[i]
		want := backend.Want{Credential: backend.Kind(w.Credential), CA: w.CA, What: w.What}
		fits := allLabels(w.Labels, c.Service.Labels) && allLabels(w.Annotations, c.Service.Annotations)
		if fits && (!w.CA || c.Scheme == "https") && !slices.Contains(list, want) {
			list = append(list, want)
		}
	}
	return list
}
