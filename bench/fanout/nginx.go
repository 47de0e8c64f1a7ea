package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"weir/internal/proctest"
)

// nginx is nginx-rtmp as Debian packs it, in one process.
type nginx struct{ t *tools }

const nginxModule = "/usr/lib/nginx/modules/ngx_rtmp_module.so"

func (nginx) name() string { return "nginx" }

func (n nginx) start(ctx context.Context, _ load) (*server, error) {
	addr, err := proctest.FreeAddr()
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(n.t.dir, "nginx.conf")
	err = os.WriteFile(conf, fmt.Appendf(nil, `load_module %s;
daemon off; master_process off; worker_processes 1; worker_rlimit_nofile 20000;
error_log /dev/null crit; pid %s;
events { worker_connections 15000; }
rtmp { server { listen %s; chunk_size 4096; access_log off; application live { live on; } } }
`, nginxModule, filepath.Join(n.t.dir, "nginx.pid"), addr), 0o600)
	if err != nil {
		return nil, err
	}
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx" // not in everybody's PATH
	}
	cmd := exec.Command(path, "-p", n.t.dir, "-c", conf)
	stop, err := child(cmd)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := listening(ctx, addr); err != nil {
		stop()
		return nil, fmt.Errorf("nginx: %w", err)
	}
	return &server{url: "rtmp://" + addr + "/live/fanout", pid: cmd.Process.Pid, stop: stop}, nil
}
