package interop_test

import (
	"fmt"
	"math"
)

// What may differ between what was sent and what was decoded.
const (
	// An AAC frame decodes to the sum of itself and its predecessor: the first
	// ones after a join differ, as does what the decoder's own start-up needs.
	audioPriming = 4 // frames
	// A player that is stopped cuts its last audio frame short, and may have a
	// picture without those that would be shown before it but are sent after it.
	audioTail, videoTail = 1, 4 // frames
	// The wire's unit is 1 ms; a muxer on the way rounds once more, and ffmpeg's
	// audio clock smooths what it reads.
	timeTolerance = 3.0 // ms
)

// identical checks that got is an unbroken part of want, at least ms long, with the
// same times between its frames and the same offset between audio and video.
func identical(got, want decoded, ms float64) error {
	shiftV, err := part(got.video, want.video, 0, videoTail, ms)
	if err != nil {
		return fmt.Errorf("video: %w", err)
	}
	shiftA, err := part(got.audio, want.audio, audioPriming, audioTail, ms)
	if err != nil {
		return fmt.Errorf("audio: %w", err)
	}
	if d := shiftA - shiftV; math.Abs(d) > 2*timeTolerance {
		return fmt.Errorf("audio moved against video by %.1f ms", d)
	}
	return nil
}

// part finds got in want and returns by how much its times are shifted. Up to skip
// frames at got's start may be unknown; the last tail ones are not looked at.
func part(got, want []decodedFrame, skip, tail int, ms float64) (shift float64, err error) {
	if len(got) <= tail {
		return 0, fmt.Errorf("%d frames were decoded", len(got))
	}
	got = got[:len(got)-tail]
	place := make(map[string]int, len(want))
	for i, f := range want {
		place[f.hash] = i
	}
	first := 0
	at, ok := place[got[0].hash]
	for !ok && first < min(skip, len(got)-1) {
		first++
		at, ok = place[got[first].hash]
	}
	if !ok {
		return 0, fmt.Errorf("none of the first %d of %d frames is in the source", first+1, len(got))
	}
	got, want = got[first:], want[at:]
	if len(got) > len(want) {
		return 0, fmt.Errorf("%d frames decoded from frame %d on, where the source has %d", len(got), at, len(want))
	}
	shift = got[0].ms - want[0].ms
	for i, f := range got {
		if f.hash != want[i].hash {
			return 0, fmt.Errorf("frame %d of %d (source frame %d) differs", i, len(got), at+i)
		}
		if i > 0 && f.ms <= got[i-1].ms {
			return 0, fmt.Errorf("frame %d at %.1f ms, after %.1f ms", i, f.ms, got[i-1].ms)
		}
		if d := f.ms - want[i].ms - shift; math.Abs(d) > timeTolerance {
			return 0, fmt.Errorf("frame %d of %d is %.1f ms off its place in the source", i, len(got), d)
		}
	}
	if length := got[len(got)-1].ms - got[0].ms; length < ms {
		return 0, fmt.Errorf("%.0f ms decoded, want %.0f", length, ms)
	}
	return shift, nil
}
