package store

import (
	"context"
	"errors"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// credential shows who this client is: user and password for a token, and the token with every call.
//
// The client library has this too, but sends the token that is over along with the question for a
// new one. etcd 3.4 refuses that as invalid, and the library asks again: the store would be
// lost five minutes (etcd's --auth-token-ttl) after a node's last call, or when etcd restarts.
type credential struct {
	user, password string
	// token has capacity 1. It holds what was answered last, nil before that (a server that does not ask
	// who is there answers with no token), or is empty while the question is under way.
	token chan *pb.AuthenticateResponse
}

func newCredential(user, password string) *credential {
	c := &credential{user: user, password: password, token: make(chan *pb.AuthenticateResponse, 1)}
	c.token <- nil
	return c
}

// options make a connection show the credential.
func (c *credential) options() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithPerRPCCredentials(c), grpc.WithChainUnaryInterceptor(c.unary), grpc.WithChainStreamInterceptor(c.stream)}
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (c *credential) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	if info, ok := credentials.RequestInfoFromContext(ctx); ok && info.Method == pb.Auth_Authenticate_FullMethodName {
		return nil, nil
	}
	token, err := c.current(ctx)
	if err != nil || token.GetToken() == "" {
		return nil, err
	}
	return map[string]string{rpctypes.TokenFieldNameGRPC: token.Token}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials: whether TLS is used is the
// operator's choice.
func (c *credential) RequireTransportSecurity() bool { return false }

// current waits while a token is being asked for.
func (c *credential) current(ctx context.Context) (*pb.AuthenticateResponse, error) {
	select {
	case token := <-c.token:
		c.token <- token
		return token, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// renew asks for another token than old, unless somebody has done so meanwhile.
func (c *credential) renew(ctx context.Context, cc *grpc.ClientConn, old *pb.AuthenticateResponse) error {
	var token *pb.AuthenticateResponse
	select {
	case token = <-c.token:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { c.token <- token }()
	if token != old {
		return nil
	}
	answer, err := pb.NewAuthClient(cc).Authenticate(ctx, &pb.AuthenticateRequest{Name: c.user, Password: c.password})
	switch {
	case errors.Is(rpctypes.Error(err), rpctypes.ErrAuthNotEnabled):
		token = new(pb.AuthenticateResponse)
	case err != nil:
		return err
	default:
		token = answer
	}
	return nil
}

// unary makes a call, and once more with a new token if the server does not know the old one.
func (c *credential) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if method == pb.Auth_Authenticate_FullMethodName {
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	// Without a token, the name in a certificate would be the user.
	if err := c.renew(ctx, cc, nil); err != nil {
		return err
	}
	token, err := c.current(ctx)
	if err != nil {
		return err
	}
	if err := invoke(ctx, method, req, reply, cc, opts...); !tokenRefused(err) {
		return err
	}
	if err := c.renew(ctx, cc, token); err != nil {
		return err
	}
	return invoke(ctx, method, req, reply, cc, opts...)
}

// stream opens a stream with a new token: an old one may be over before the server has
// looked at it, and then the stream fails where nobody asks again.
func (c *credential) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	// A stream has no end, and calls wait while a token is being asked for.
	soon, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	token, err := c.current(soon)
	if err == nil {
		err = c.renew(soon, cc, token)
	}
	if err != nil {
		return nil, err
	}
	return open(ctx, desc, cc, method, opts...)
}

// tokenRefused reports whether a call failed for want of a token that the server knows.
func tokenRefused(err error) bool {
	err = rpctypes.Error(err)
	return errors.Is(err, rpctypes.ErrInvalidAuthToken) || errors.Is(err, rpctypes.ErrUserEmpty) || errors.Is(err, rpctypes.ErrAuthOldRevision)
}
