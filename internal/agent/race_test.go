//go:build race

package agent

// The race detector drops the decoder's buffers from their pool at random, so that they are allocated anew.
func init() { allowance = 256 * mib }
