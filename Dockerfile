# A static binary in an empty image: no shell, no libc, no package to patch.
# Build with:  docker build -t banquet --build-arg VERSION=$(git describe --tags --always) .
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
# Time zones are compiled in (import _ "time/tzdata" in cmd/banquet), the CA
# roots are copied, so that nothing of a system is needed at run time.
RUN CGO_ENABLED=0 go build -ldflags "-s -w -X main.version=${VERSION}" -o /out/banquet ./cmd/banquet && \
    mkdir -p /out/repo /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/banquet /banquet
COPY --from=build --chown=65532:65532 /out/repo /repo
COPY --from=build --chown=65532:65532 /out/tmp /tmp
USER 65532:65532
WORKDIR /repo
ENV TZ=UTC
# gRPC, HTTP, admin. Inside a container the loopback addresses would reach
# nobody: the image listens on all of them, which needs --listen-insecure until
# TLS or authentication is configured. Put a network policy or a mesh before it.
EXPOSE 6565 6566 6567
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/banquet", "healthcheck"]
ENTRYPOINT ["/banquet"]
CMD ["serve", "--host", "0.0.0.0", "--admin-host", "0.0.0.0", "--listen-insecure"]
