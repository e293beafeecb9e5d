/** What `--daemon` may name. */
export { foreignDaemons } from '../fakes/foreign-daemons/foreign-daemon.ts';
