# Executes s3fs or rclone ($0) with the flags of the fake FUSE daemon, as process 1 of its container.
set -eu
prefix='' hold='' readonly=false
for flag; do
  case $flag in
    --mountpoint=*) mountpoint=${flag#*=} ;;
    --endpoint=*) endpoint=${flag#*=} ;;
    --bucket=*) bucket=${flag#*=} ;;
    --prefix=*) prefix=${flag#*=} ;;
    --credentials=*) credentials=${flag#*=} ;;
    --hold-file=*) hold=${flag#*=} ;;
    --read-only=*) readonly=${flag#*=} ;;
    *) echo "$0 does not support $flag" >&2 && exit 2 ;;
  esac
done
prefix=${prefix%/}
while [ -n "$hold" ] && [ -e "$hold" ]; do sleep 0.1; done

# Detaches dead mounts of previous daemons; a live mount is never detached.
while grep -q " $mountpoint .* - fuse" /proc/self/mountinfo && ! stat -f "$mountpoint" >/dev/null 2>&1; do
  umount -l "$mountpoint"
done
mkdir -p "$mountpoint"

# Credentials are in a file that only this user can read, never in arguments or the environment.
umask 077
secrets=$(mktemp -d)
id=$(cat "$credentials/accessKeyId") secret=$(cat "$credentials/accessKeySecret")
case $0 in
  s3fs)
    printf '%s:%s\n' "$id" "$secret" >"$secrets/passwd"
    umask 022
    exec s3fs "$bucket${prefix:+:/$prefix}" "$mountpoint" -f -o "url=$endpoint,use_path_request_style,passwd_file=$secrets/passwd" \
      -o "allow_other,umask=0022,dbglevel=err,stat_cache_expire=1$([ "$readonly" = false ] || echo ,ro)"
    ;;
  rclone)
    printf '[store]\ntype = s3\nprovider = Minio\nregion = us-east-1\nendpoint = %s\naccess_key_id = %s\nsecret_access_key = %s\n' \
      "$endpoint" "$id" "$secret" >"$secrets/rclone.conf"
    umask 022
    exec env -u AWS_CA_BUNDLE rclone --config "$secrets/rclone.conf" mount "store:$bucket${prefix:+/$prefix}" "$mountpoint" \
      --allow-other --dir-cache-time 1s --poll-interval 0 --log-level ERROR --read-only="$readonly"
    ;;
esac
