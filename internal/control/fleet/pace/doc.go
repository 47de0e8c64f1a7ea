// Package pace runs many small jobs, each again and again, with a bounded number at
// a time: health checks and load polls of a thousand servers.
//
// What it is not: a cron. A job says after each round when it wants the next one. When more
// are due than may run, the one that is longest due comes first, so all of them become slower
// alike and none starves.
//
// Goroutines: one that waits for the next job to be due, and one for each job that runs
// now, up to the limit. None is kept between rounds. Of one job there is never more than one round at a time.
//
// The caller closes the Pacer; Close waits for the rounds, whose context it ends.
package pace
