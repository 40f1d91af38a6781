// Package openapi checks that other programs can use the API's OpenAPI document: an independent validator finds it valid
// and every response as described, and a client that is generated from it compiles and works.
package openapi
