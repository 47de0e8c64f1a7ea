// Package bench is the load tool behind `weir bench play` and `weir bench publish`:
// thousands of viewers, or hundreds of publishers, from one process, against any
// RTMP server, and a judgement of what came of it.
//
// It is no conformance tester and no player: it decodes no picture. It makes load as
// real clients do, at so little cost that the server under test keeps the machine,
// and counts.
//
// # Viewers
//
// Every viewer is real until its first key frame: TCP (and TLS), handshake, connect,
// createStream, play, over package weir/rtmp, or a GET. Then:
//
//   - a sample of them ([PlayOptions].Sample) is parsed to the end: package stamp counts
//     what was lost, doubled or foreign, and the frames' age is the added latency;
//   - all others give their socket to the [discarder]: the kernel throws the bytes
//     away (recv with MSG_TRUNC), and only their number is seen. A few loops serve
//     them all, in one of two manners ([Reader]), which must be named with every
//     figure: lazy readers let bytes gather, eager ones wake for every packet, as
//     players do. The server's cost may differ by three times between them;
//   - TLS viewers cannot be left to the kernel: each is read by a goroutine.
//
// Like players, discarded viewers acknowledge ([ackBytes], [ackTime]).
//
// # Targets
//
// rtmp and rtmps URLs; http and https ones, which are HTTP-FLV (/APP/NAME.flv); and tcp: a chunk stream from the first byte on, without
// handshake and conversation, which the bare floor of bench/ sends. With several
// streams, {} in the URL is the stream's number.
//
// # Figures
//
// Times are in milliseconds, from HdrHistograms of three digits. Latency compares the
// publisher's wall clock with the viewer's, so both must be on one machine. Processes of the
// server are read from /proc: CPU time is the sum over /proc/PID/task/*/schedstat. The
// window ([PlayOptions].Window) begins when all have joined and the warm-up is over; what
// happened before is in the join figures.
//
// # Goroutines
//
// Play and Publish run until ctx or their time ends and leave nothing behind. A viewer
// that is joining, a sampled one, a TLS one and a publisher have a goroutine each; the
// discarder has one a loop.
package bench
