//go:build integration && !race

package testenv

const raceDetector = false
