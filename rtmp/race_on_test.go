//go:build race

package rtmp

// raceEnabled: the race detector makes pools forget on purpose, so allocations
// cannot be counted.
const raceEnabled = true
