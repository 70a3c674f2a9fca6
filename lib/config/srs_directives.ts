/**
 * SRS's directives: which names it knows, and which of them are ours.
 * Source: ossrs/srs trunk/src/app/srs_app_config.cpp, `check_normal_config` and the getters, 5.0 and 6.0; `rtmps` is of 7.0.
 *
 * @module
 */

/**
 * How a directive's arguments are read. SRS reads a boolean that is off by default as true only if it says `on`,
 * and one that is on by default as false only if it says `off`.
 */
export type SrsReader =
  | "offUnlessOn"
  | "onUnlessOff"
  | "integer"
  | "integerNotBelowZero"
  | "seconds"
  | "secondsInMs"
  | "text"
  | "list";

/** A directive that becomes a key of ours. */
export interface SrsMapping {
  /** SRS's path, dotted; `vhost` stands for the vhost's block. */
  readonly directive: string;
  /** Our path, dotted; `vhost` is followed by the vhost's name in a configuration. */
  readonly key: string;
  readonly reader: SrsReader;
}

function mapping(directive: string, reader: SrsReader, key = directive): SrsMapping {
  return { directive, key, reader };
}

/** Directives that only need to be read. {@linkcode SRS_SPECIAL} has those that need a thought. */
export const SRS_MAPPINGS: readonly SrsMapping[] = [
  mapping("listen", "list"),
  mapping("chunk_size", "integer"),
  mapping("max_connections", "integer"),
  mapping("pid", "text"),
  mapping("server_id", "text"),
  mapping("utc_time", "offUnlessOn"),
  mapping("grace_start_wait", "integer", "grace_start_wait_ms"),
  mapping("grace_final_wait", "integer", "grace_final_wait_ms"),
  mapping("force_grace_quit", "offUnlessOn"),
  mapping("rtmps.enabled", "offUnlessOn"),
  mapping("rtmps.listen", "list"),
  mapping("rtmps.key", "text"),
  mapping("rtmps.cert", "text"),
  mapping("http_api.enabled", "offUnlessOn"),
  mapping("http_api.listen", "list"),
  mapping("http_api.crossdomain", "onUnlessOff"),
  mapping("http_api.auth.enabled", "offUnlessOn"),
  mapping("http_api.auth.username", "text"),
  mapping("http_api.auth.password", "text"),
  mapping("http_api.auth.token", "text"),
  mapping("http_api.https.enabled", "offUnlessOn"),
  mapping("http_api.https.listen", "list"),
  mapping("http_api.https.key", "text"),
  mapping("http_api.https.cert", "text"),
  mapping("http_server.enabled", "offUnlessOn"),
  mapping("http_server.listen", "list"),
  mapping("http_server.crossdomain", "onUnlessOff"),
  mapping("http_server.https.enabled", "offUnlessOn"),
  mapping("http_server.https.listen", "list"),
  mapping("http_server.https.key", "text"),
  mapping("http_server.https.cert", "text"),
  mapping("exporter.enabled", "offUnlessOn"),
  mapping("exporter.listen", "list"),
  mapping("exporter.label", "text"),
  mapping("exporter.tag", "text"),
  mapping("heartbeat.enabled", "offUnlessOn"),
  mapping("heartbeat.interval", "secondsInMs", "heartbeat.interval_ms"),
  mapping("heartbeat.url", "text"),
  mapping("heartbeat.device_id", "text"),
  mapping("heartbeat.summaries", "offUnlessOn"),
  mapping("heartbeat.ports", "offUnlessOn"),
  mapping("vhost.enabled", "onUnlessOff"),
  mapping("vhost.chunk_size", "integer"),
  mapping("vhost.in_ack_size", "integer"),
  mapping("vhost.out_ack_size", "integer"),
  mapping("vhost.tcp_nodelay", "offUnlessOn"),
  mapping("vhost.min_latency", "offUnlessOn"),
  mapping("vhost.cluster.mode", "text"),
  mapping("vhost.cluster.origin", "list"),
  mapping("vhost.cluster.token_traverse", "offUnlessOn"),
  mapping("vhost.cluster.vhost", "text"),
  mapping("vhost.cluster.debug_srs_upnode", "onUnlessOff"),
  mapping("vhost.cluster.origin_cluster", "offUnlessOn"),
  mapping("vhost.cluster.coworkers", "list"),
  mapping("vhost.play.gop_cache", "onUnlessOff"),
  mapping("vhost.play.gop_cache_max_frames", "integer"),
  mapping("vhost.play.queue_length", "integer"),
  mapping("vhost.play.mw_latency", "integer"),
  mapping("vhost.publish.firstpkt_timeout", "integer"),
  mapping("vhost.publish.normal_timeout", "integer"),
  mapping("vhost.publish.kickoff_for_idle", "seconds"),
  mapping("vhost.security.enabled", "offUnlessOn"),
  mapping("vhost.forward.enabled", "offUnlessOn"),
  mapping("vhost.forward.destination", "list"),
  mapping("vhost.forward.rtmps", "offUnlessOn"),
  mapping("vhost.forward.backend", "text"),
  mapping("vhost.dvr.enabled", "offUnlessOn"),
  mapping("vhost.dvr.dvr_apply", "list"),
  mapping("vhost.dvr.dvr_path", "text"),
  mapping("vhost.dvr.dvr_plan", "text"),
  mapping("vhost.dvr.dvr_duration", "integerNotBelowZero"),
  mapping("vhost.dvr.dvr_wait_keyframe", "onUnlessOff"),
  mapping("vhost.dvr.time_jitter", "text"),
  mapping("vhost.refer.enabled", "offUnlessOn"),
  mapping("vhost.refer.all", "list"),
  mapping("vhost.refer.publish", "list"),
  mapping("vhost.refer.play", "list"),
  mapping("vhost.http_hooks.enabled", "offUnlessOn"),
  mapping("vhost.http_hooks.on_connect", "list"),
  mapping("vhost.http_hooks.on_close", "list"),
  mapping("vhost.http_hooks.on_publish", "list"),
  mapping("vhost.http_hooks.on_unpublish", "list"),
  mapping("vhost.http_hooks.on_play", "list"),
  mapping("vhost.http_hooks.on_stop", "list"),
  mapping("vhost.http_hooks.on_dvr", "list"),
  mapping("vhost.http_remux.enabled", "offUnlessOn"),
  mapping("vhost.http_remux.mount", "text"),
  mapping("vhost.http_remux.guess_has_av", "onUnlessOff"),
  mapping("vhost.http_remux.has_audio", "onUnlessOff"),
  mapping("vhost.http_remux.has_video", "onUnlessOff"),
  mapping("vhost.http_remux.drop_if_not_match", "onUnlessOff"),
];

/** Directives that become keys of ours by rules of their own, or that say what this server does anyway. */
export const SRS_SPECIAL: readonly string[] = [
  "srs_log_tank",
  "srs_log_file",
  "srs_log_level",
  "srs_log_level_v2",
  "vhost.security.allow",
  "vhost.security.deny",
  "http_api.auth.type",
  "vhost.publish.mr",
  "vhost.publish.mr_latency",
];

/** Directives that ask for nothing else than what this server does, when they have this value. */
export const SRS_NO_OPERATION: Readonly<Record<string, string>> = {
  "daemon": "off",
  "asprocess": "off",
  "http_api.auth.rtc_bearer_enabled": "off",
  "vhost.cluster.protocol": "rtmp",
};

/** The names that SRS accepts in each block. What is in a block that is not listed is not checked, as in SRS. */
export const SRS_NAMES: Readonly<Record<string, readonly string[]>> = splitNames({
  "":
    "listen pid chunk_size ff_log_dir ff_log_level srs_log_tank srs_log_level srs_log_level_v2 srs_log_file " +
    "max_connections daemon heartbeat tencentcloud_apm tencentcloud_cls http_api stats vhost pithy_print_ms " +
    "http_server stream_caster rtc_server srt_server utc_time work_dir asprocess server_id grace_start_wait " +
    "grace_final_wait force_grace_quit empty_ip_ok disable_daemon_for_docker inotify_auto_reload " +
    "auto_reload_for_docker tcmalloc_release_rate query_latest_version first_wait_for_qlv threads " +
    "circuit_breaker is_full in_docker exporter rtmps",
  "rtmps": "enabled listen key cert",
  "http_api.https": "enabled listen key cert",
  "http_server.https": "enabled listen key cert",
  "http_api": "enabled listen crossdomain raw_api auth https",
  "http_api.raw_api": "enabled allow_reload allow_query allow_update",
  "http_api.auth": "enabled type username password token rtc_bearer_enabled",
  "http_server": "enabled listen dir crossdomain https",
  "srt_server":
    "enabled listen maxbw mss latency recvlatency peerlatency connect_timeout peer_idle_timeout " +
    "sendbuf recvbuf payloadsize default_app sei_filter mix_correct tlpktdrop tlpkdrop tsbpdmode passphrase " +
    "pbkeylen",
  "heartbeat": "enabled interval url device_id summaries ports",
  "stats": "enabled network disk",
  "rtc_server": "enabled listen dir candidate ecdsa tcp encrypt reuseport merge_nalus black_hole protocol " +
    "ip_family api_as_candidates resolve_api_domain keep_api_domain use_auto_detect_network_ip perf_stat " +
    "queue_length",
  "exporter": "enabled listen label tag",
  "stream_caster": "enabled caster output listen sip tcp_enable rtp_port_min rtp_port_max wait_keyframe " +
    "rtp_idle_timeout audio_enable auto_create_channel host",
  "stream_caster.sip":
    "enabled listen timeout reinvite candidate serial realm ack_timeout keepalive_timeout " +
    "invite_port_fixed query_catalog_interval auto_play",
  "vhost": "enabled chunk_size min_latency tcp_nodelay dvr ingest hls http_hooks refer forward transcode " +
    "bandcheck play publish cluster security http_remux dash http_static hds exec in_ack_size out_ack_size " +
    "rtc srt",
  "vhost.dvr": "enabled dvr_apply dvr_path dvr_plan dvr_duration dvr_wait_keyframe time_jitter",
  "vhost.refer": "enabled all publish play",
  "vhost.exec": "enabled publish",
  "vhost.play":
    "time_jitter mix_correct atc atc_auto mw_latency gop_cache gop_cache_max_frames queue_length " +
    "send_min_interval reduce_sequence_header mw_msgs",
  "vhost.cluster": "mode origin token_traverse vhost debug_srs_upnode coworkers origin_cluster protocol " +
    "follow_client",
  "vhost.publish":
    "mr mr_latency firstpkt_timeout normal_timeout parse_sps try_annexb_first kickoff_for_idle",
  "vhost.ingest": "enabled input ffmpeg engine",
  "vhost.http_static": "enabled mount dir",
  "vhost.http_remux": "enabled mount fast_cache drop_if_not_match has_audio has_video guess_has_av hstrs",
  "vhost.dash": "enabled dash_fragment dash_update_period dash_timeshift dash_path dash_mpd_file " +
    "dash_window_size dash_dispose dash_cleanup",
  "vhost.hls":
    "enabled hls_entry_prefix hls_path hls_fragment hls_window hls_on_error hls_storage hls_mount " +
    "hls_td_ratio hls_aof_ratio hls_acodec hls_vcodec hls_m3u8_file hls_ts_file hls_ts_floor hls_cleanup " +
    "hls_nb_notify hls_wait_keyframe hls_dispose hls_keys hls_fragments_per_key hls_key_file " +
    "hls_key_file_path hls_key_url hls_dts_directly hls_ctx hls_ts_ctx",
  "vhost.http_hooks": "enabled on_connect on_close on_publish on_unpublish on_play on_stop on_dvr on_hls " +
    "on_hls_notify",
  "vhost.forward": "enabled destination backend rtmps",
  "vhost.security": "enabled deny allow",
  "vhost.transcode": "enabled ffmpeg engine",
  "vhost.transcode.engine": "enabled vfilter vcodec vbitrate vfps vwidth vheight vthreads vprofile vpreset " +
    "vparams acodec abitrate asample_rate achannels aparams output perfile iformat oformat",
  "vhost.rtc": "enabled nack twcc nack_no_copy bframe aac stun_timeout stun_strict_check dtls_role " +
    "dtls_version drop_for_pt rtc_to_rtmp pli_for_rtmp rtmp_to_rtc keep_bframe opus_bitrate aac_bitrate " +
    "keep_avc_nalu_sei",
  "vhost.srt": "enabled srt_to_rtmp",
});

function splitNames(blocks: Record<string, string>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(blocks).map(([path, names]) => [path, names.split(" ")]));
}
