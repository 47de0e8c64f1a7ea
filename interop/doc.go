// Package interop runs the real weir binary against real programs: ffmpeg 5.1 and
// 7.0, GStreamer, rtmpdump, nginx-rtmp, mpv and etcd. It has tests only.
//
// It is not a test of parts: nothing of Weir is linked in but the wire formats (for
// synthetic publishers and viewers). Nodes are processes, known by what they log
// and by what their admin listener answers.
//
// How a test is built:
//
//   - a [source] is a media file, made once a run by ffmpeg;
//   - a [publisher] sends it with some program, a [player] receives it with another;
//   - what the player got is decoded and compared, picture by picture and sample by
//     sample, with what the same decoder makes of the file: exit codes prove nothing.
//
// Every process is in a group of its own that is killed at the end of its test, and
// dies with the test binary. Its log is shown when the test fails. Tests wait for
// conditions and never for time to pass.
//
// A program that is missing fails the test that needs it: scripts/install-tools.sh
// installs them all.
package interop
