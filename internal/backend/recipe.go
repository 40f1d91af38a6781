package backend

// Recipe is one way to give HolmesGPT the credentials of a backend. It names Secrets, but this service never reads a
// Secret.
type Recipe struct {
	By     string // the chart or operator that creates them; "" if unknown
	Source string // the source of this knowledge: repository and file
	// Secret in the Service's namespace that holds the credentials; "" = people create Copy by hand, after Steps.
	Secret string
	// Copy is the Secret in HolmesGPT's namespace that the variables are read from: Secret itself if HolmesGPT runs in
	// the Service's namespace, "" if there are no variables.
	Copy  string
	Items []RecipeItem
	Steps []Step
	Note  string
	// Line is the configuration line that names the variables; "" if they are already named.
	Line string
}

// RecipeItem is one variable of HolmesGPT's environment: a key of the Secret, or a value that is not secret.
type RecipeItem struct {
	Field    string // a field of the toolset's credentials
	Variable string
	Key      string // a key of the Secret; "" if Value is set
	Value    string
	Holds    string // what the variable must hold, for people, if that is not the bare secret; else ""
}

// Step is one action for a person, before the rest of the recipe.
type Step struct {
	Text, Command string
}
