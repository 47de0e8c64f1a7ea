package rig

import (
	"context"
	"fmt"
	"path/filepath"
)

const nginxModule = "/usr/lib/nginx/modules/ngx_rtmp_module.so"

// Nginx is nginx-rtmp as Debian packs it, in one process: the application live with the directives in more, and
// beside rtmp{} what is in beside.
func Nginx(ctx context.Context, dir, more, beside string) (p *Program, addr string, err error) {
	return Configured(ctx, dir, func(addr string) string {
		return fmt.Sprintf(`load_module %s;
daemon off; master_process off; worker_processes 1; worker_rlimit_nofile 20000;
error_log stderr crit; pid %s;
events { worker_connections 15000; }
rtmp { server { listen %s; chunk_size 4096; access_log off; application live { live on; %s } } }
%s
`, nginxModule, filepath.Join(dir, addr+".pid"), addr, more, beside)
	}, Path("nginx"), "-p", dir, "-c")
}
