# The FUSE daemons of other authors, for --daemon on a cluster: s3fs and rclone, and what fakes/foreign-daemons/start.sh runs.
# Built by images.ts; fetches Debian packages.
FROM debian:bookworm-slim
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates fuse3 mount rclone s3fs util-linux \
  && rm -rf /var/lib/apt/lists/*
CMD ["sleep", "infinity"]
