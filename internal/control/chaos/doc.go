// Package chaos is a seeded simulation of package cluster: membership, ownership and pull
// records of a few nodes, while processes die and return, connections to the store break, hang
// and lose answers, clocks jump, and the store stops, is wiped, or comes back as an older copy.
// All of it is in the tests; nothing here is built into Weir.
//
// A run is a schedule in a testing/synctest bubble: the real cluster code, on a fake clock, over
// store.Memory by way of storetest.Faulty. The schedule (who fails when, how, and for how long; what
// publishers want) comes from a seed:
//
//	go test ./internal/control/chaos                      testdata/seeds.txt, then 1,000 seeds from -seed on
//	go test ./internal/control/chaos -seed 17 -schedules 1
//
// The order in which goroutines run is not the seed's: synctest makes time deterministic, not
// the scheduler, and the cluster's random names are random. A seed reproduces the schedule and not the interleaving; a
// failing one is run many times (-count) to confirm it, and its number goes into
// testdata/seeds.txt with what it found, where each run tries it [regressionRuns] times.
//
// # What must hold
//
// While it goes on: the history of each stream's ownership, as its claimants saw it, is that
// of one register that holds one growing epoch (porcupine; not where the store itself
// forgot). After the faults have ended:
//
//   - within 10 s the registry is the truth: one holder a stream at most, confirmed, recorded under its epoch
//     and known to all nodes; what is published is recorded and what is not is not; the same for pulls;
//   - its epoch is not below any that a living process was granted, or that would refuse it for ever;
//   - after another TTL no record is left of a node that is dead;
//   - all goroutines end with their Cluster.
//
// Media is not here: package node/chaos runs whole nodes.
package chaos
