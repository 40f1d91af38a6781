// Package openapi shows that the API's own description is one that others can use: a checker that knows nothing of this
// project finds it valid and every answer as described, and a client that a generator makes of it compiles and works.
package openapi
