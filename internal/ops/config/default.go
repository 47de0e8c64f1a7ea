package config

import (
	"log/slog"
	"os"
	"time"
)

// Default returns the configuration of a node with no file and no flags: a
// standalone server.
func Default() Config {
	name, err := os.Hostname()
	if err != nil || name == "" {
		name = "weir"
	}
	return Config{
		Node: Node{
			Name:      name,
			Roles:     []Role{RoleFront, RoleOrigin, RoleEdge},
			LogLevel:  slog.LevelInfo,
			LogFormat: LogText,
			Weight:    1,
			// Not smaller: an edge's viewers are let go over half of it. Not larger:
			// service managers kill after 30 s, and a person waits.
			DrainTimeout: 10 * time.Second,
		},
		RTMP:  RTMP{Listen: ":1935"},
		HTTP:  defaultHTTP(),
		Admin: Admin{Listen: "127.0.0.1:8081"},
		Store: Store{
			Kind:   StoreMemory,
			Listen: "127.0.0.1:2379",
			Dir:    "weir-store",
		},
		Limits: DefaultLimits(),
		// SpliceLatency: not larger, as players at the live edge hold a fraction of a second.
		// Not smaller: a packet a message costs several times more than one in 50 ms.
		Front: Front{Mode: ModeCarry, Publish: WayCarry, Play: WayAuto, SpliceLatency: 50 * time.Millisecond, HTTP: defaultFrontHTTP()},
		// SlowStart: a server that has just come up has cold caches, and all fronts find it
		// idle. Sticky: encoders wait up to half a minute between two attempts.
		Place: Place{Publishers: PublishLeastLoad, Viewers: ViewPullAware, SlowStart: 30 * time.Second, Sticky: time.Minute},
		// Not smaller: a viewer that changes between two streams, or reloads its
		// page, would cost a new pull each time. Not larger: bandwidth for nobody.
		// MaxLatency: see live.DefaultMaxLatency.
		Play: Play{Wait: 0, Grace: 10 * time.Second, MaxLatency: 100 * time.Millisecond},
		// Not smaller: OBS waits 2 s before its first attempt to reconnect, and
		// most encoders up to 10 s. Not larger: viewers look at a frozen picture.
		Publish: Publish{Grace: 15 * time.Second, Duplicate: DuplicateReject},
	}
}
