// Package clip is a test pattern that needs no encoder: eight seconds of H.264
// (Constrained Baseline, 320x180, 30/s, one closed GOP a second, no B-frames) and
// AAC (48 kHz, mono), committed as an FLV file and played for ever.
//
// It is not a general file source: it knows this one clip, whose two tracks end
// on the same instant (240 pictures and 375 AAC frames are both exactly [Length]),
// so that a loop adds the same length to both and they never drift apart.
// scripts/make-clip.sh makes the file again, byte for byte with the same encoders,
// and says how its numbers were chosen.
//
// The caller paces: [Player.Next] returns at once; send each frame when the time
// since the start has reached its timestamp. A Player belongs to one goroutine;
// the payloads are shared by all players of the process and must not be written to.
package clip
