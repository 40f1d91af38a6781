package backend

// Recipe is one way to give HolmesGPT the credentials of a backend. It names Secrets; none is ever read by this
// service.
type Recipe struct {
	By     string // the chart or operator that keeps them; "" where nothing is known of it
	Source string // where that was looked up
	// Secret in the Service's namespace that holds them; "" = people make Copy by hand, after Steps.
	Secret string
	// Copy is the Secret in HolmesGPT's namespace from which its variables are read: Secret itself where that is the
	// Service's, "" where there are no variables.
	Copy  string
	Items []RecipeItem
	Steps []Step
	Note  string
	// Line of the configuration that names the variables; "" where they are named already.
	Line string
}

// RecipeItem is one variable of HolmesGPT's environment: from a key of the Secret, or a value that is no secret.
type RecipeItem struct {
	Field    string // of the toolset's credentials
	Variable string
	Key      string // of the Secret; "" where there is a Value
	Value    string
	Holds    string // what the variable must hold, for people, where that is not the secret as it is; else ""
}

// Step is one thing that a person does before the rest.
type Step struct {
	Text, Command string
}
