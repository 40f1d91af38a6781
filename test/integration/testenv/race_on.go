//go:build integration && race

package testenv

const raceDetector = true
