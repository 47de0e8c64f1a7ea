// Package chaos is a seeded simulation of whole nodes: claims, feeds, pulls, and publishers carried from
// origin to origin, while processes die and return, links are cut (both ways, or one), nodes
// hang with all they have in hand, operators drain and undrain, clocks are wrong, and the store is away, slow, loses
// answers, is wiped, or comes back as an older copy. All of it is in the tests.
//
// A run is a schedule in a testing/synctest bubble: three or four nodes as package node
// builds them, in a [node.World] of a network in memory, store.Memory by way of
// storetest.Faulty, and a fake clock. Outside are RTMP clients: a publisher that always comes back, a
// rival in some runs, an operator, and a viewer at every node. Pictures and sounds carry their publisher, number and time. The
// schedule comes from a seed:
//
//	go test ./internal/node/chaos                      those of testdata, then 1,000 seeds from -seed on
//	go test ./internal/node/chaos -seed 17 -schedules 1
//
// The order in which goroutines run is not the seed's, nor are the random numbers that nodes draw
// (identities, back-off): a seed reproduces the schedule, not the interleaving. A failing one is run
// many times (-count), and its number goes into testdata/harder.txt with what it found (testdata/seeds.txt has those of
// schedules without wrong clocks, operators and older copies, which came later).
//
// # What must hold
//
//   - P1: the pulls of a node never go back to a lower epoch while its process lives; a viewer never
//     sees two publishers take turns, nor a frame twice or after a later one, whatever moves;
//     a track's time never goes back, and all frames of a publisher are moved by the same amount.
//   - P1, P2: while nothing is wrong but with the store, a publisher that is on air does not lose its name to the rival.
//   - P2, P3: [reachTime] after the faults every viewer at every node sees the publisher that is on air, and
//     the store has that stream, all nodes, and nothing else.
//   - P6: one pull a node and stream at most; none once nobody watches, in the store too.
//   - When the publisher has left, its record goes; when the nodes leave, theirs; and every goroutine ends.
//
// # What it is not
//
// A node that hangs is cut off from everything for a while; its own timers run on, other than those of
// a process that is stopped. A process that is killed falls silent at once, and goes on inside,
// heard by nobody, until it has noticed. Connections have room for all that is sent: back-pressure is tested
// elsewhere, and so are sockets and the pumps on them, since connections here are not TCP.
package chaos
