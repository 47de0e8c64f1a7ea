// Package rig is what the commands that measure side by side have in common: a machine
// to themselves ([Hold]), the programs that they compare and the tools that load them
// ([Program], [Weir], [Nginx], [Bench], [Publish]), where figures were taken ([Where]) and what they
// come to over the rounds ([Spread]).
//
// It knows nothing of what is measured. Programs write their configuration into a
// directory of the caller's, and are dead with the caller at the latest.
package rig
