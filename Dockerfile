# The image of a sidecar or a gateway: the binary, the libraries it loads, and nothing that runs before
# it. Configured by the environment alone,
#
#   docker run -e ANTECHAMBER_UPSTREAM=… -e ANTECHAMBER_ISSUER=… -e ANTECHAMBER_AUDIENCE=… -p 8080:8080 antechamber
#
# or by a file, mounted at /etc/antechamber/proxy.conf.

FROM swift:6.3-bookworm AS builder
# Versions are the base image's release's: a pinned one is gone from Debian's mirrors at its next fix.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libssl-dev libcurl4-openssl-dev zlib1g-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Dependencies first: their layer stays good until the manifest changes.
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
# The manifest names the test targets, so SwiftPM wants their folders even for a product without them.
COPY Tests Tests
RUN swift build --configuration release --product antechamber --static-swift-stdlib \
    && install -D --strip "$(swift build --configuration release --show-bin-path)/antechamber" /out/antechamber

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libssl3 libcurl4 zlib1g libstdc++6 ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=builder /out/antechamber /usr/local/bin/antechamber
# Only this line, and in a file rather than in the environment, which would beat a mounted file's own
# `listen`. Inside a container loopback is of no use: its port is published from every address.
RUN mkdir -p /etc/antechamber && printf 'listen 8080;\n' > /etc/antechamber/proxy.conf
ENV ANTECHAMBER_CONFIG=/etc/antechamber/proxy.conf
# For `state_dir`: a new named volume takes its owner and mode from the folder it is mounted over.
RUN install --directory --owner=65532 --group=65532 --mode=0700 /var/lib/antechamber
# Numeric, so that Kubernetes' runAsNonRoot can tell.
USER 65532:65532
EXPOSE 8080
# Drains: stops accepting, finishes what is in flight, then exits.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["antechamber", "health"]
ENTRYPOINT ["antechamber"]
CMD ["run"]
