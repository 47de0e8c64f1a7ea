package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// lastFailure is why the last try of a call failed. The client library tries until the call's time is
// over, and then says that; what an operator needs is why it had to try.
type lastFailure struct {
	mu  sync.Mutex
	err error
}

// unary notes how a try ended.
func (f *lastFailure) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	err := invoke(ctx, method, req, reply, cc, opts...)
	if s := status.Convert(err); s.Code() != codes.Canceled && s.Message() != context.DeadlineExceeded.Error() {
		f.mu.Lock()
		f.err = err
		f.mu.Unlock()
	}
	return err
}

// explain adds that to the error of a call whose time was over.
func (f *lastFailure) explain(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) && status.Code(err) != codes.DeadlineExceeded {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		return err
	}
	return fmt.Errorf("%w: %s", err, status.Convert(f.err).Message())
}
