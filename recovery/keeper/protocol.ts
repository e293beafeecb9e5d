/**
 * What keeper and daemon say to each other, one message for each `sendmsg` on a unix socket, as JuiceFS passes its descriptor (`cmd/passfd.go`
 * in juicedata/juicefs; ADR 45 lists what is the same). The keeper speaks first. Each of its messages has a descriptor that means nothing and,
 * if it hands over a connection, the connection's /dev/fuse after it; the text is then what the last daemon sent with it.
 *
 * The daemon sends its /dev/fuse and a text of its own, by which its successor knows how to continue; or `CLOSE`, if the keeper must not
 * keep the descriptor that it has just handed over.
 */
export const messages = {
  /** The keeper has nothing for this daemon, which mounts and sends its descriptor. */
  nothing: 'FUSE',
  /** Another daemon serves the volume. A daemon that stays connected is its successor and gets another message when the other ends. */
  wait: 'WAIT',
  /** The keeper will keep nothing for this daemon; a sentence follows. */
  refused: 'REFUSED ',
  close: 'CLOSE',
} as const;

/** Directory of the node with a directory for each volume. Only root may write it. */
export const keeperDirectory = '/run/rekindle-keeper';

/** The name of the socket in a volume's directory. JuiceFS' mount pods expect this one. */
export const socketName = 'fuse_fd_csi_comm.sock';

/** In the keeper's directory: which connections it keeps for a daemon that is away. */
export const keptFileName = 'kept.json';
