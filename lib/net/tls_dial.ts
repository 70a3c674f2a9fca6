import { inBackground } from "../base/background.ts";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import { hostAndPort } from "../base/host_port.ts";
import { type ByteDuplex, configureTcp, connectTcp, type SocketAddress } from "./tcp.ts";
import { tlsDuplex } from "./tls.ts";

/** Whose certificates are believed. */
export interface TlsTrust {
  /** Certificates, in PEM, beside those that the runtime knows. */
  readonly caCerts: readonly string[];
  /** Whether a certificate may be for another name than the one that is dialled. */
  readonly isNameUnchecked?: boolean;
}

/**
 * Connects, and agrees upon TLS, within a time. The certificate must be for the name that is dialled and come from an authority that is
 * trusted; the name is told to the other end (SNI), which platforms need.
 *
 * @param onReleased Called once when the system has the descriptor back: soon, except where the other end is silent and stays.
 * @throws {Error} Naming the address and the reason.
 */
export async function dialTls(
  address: SocketAddress,
  timeoutMs: number,
  { caCerts, isNameUnchecked = false }: TlsTrust,
  clock: Clock,
  onReleased: () => void,
): Promise<ByteDuplex> {
  const begunMs = clock.now();
  const tcp = await connectTcp(address, timeoutMs, clock).catch((error) => {
    onReleased();
    throw error;
  });
  configureTcp(tcp);
  const name = hostAndPort(address.hostname, address.port);
  let connection: Deno.TlsConn;
  try {
    connection = await Deno.startTls(tcp, {
      hostname: address.hostname,
      caCerts: [...caCerts],
      ...(isNameUnchecked ? { unsafelyDisableHostnameVerification: true } : {}),
    });
  } catch (error) {
    closeQuietly(tcp);
    onReleased();
    throw new Error(`Cannot connect to ${name} by TLS: ${errorText(error)}`, { cause: error });
  }
  const duplex = tlsDuplex(connection);
  if (duplex.released !== undefined) inBackground(duplex.released.then(onReleased), "releasing a connection");
  const late = Promise.withResolvers<never>();
  const timer = clock.setTimer(
    () => late.reject(new Error(`no answer to the TLS handshake within ${timeoutMs} ms`)),
    Math.max(0, timeoutMs - (clock.now() - begunMs)),
  );
  const handshake = connection.handshake();
  handshake.catch(() => {});
  try {
    await Promise.race([handshake, late.promise]);
    return duplex;
  } catch (error) {
    duplex.close();
    throw new Error(`Cannot connect to ${name} by TLS: ${tlsProblem(errorText(error))}`, { cause: error });
  } finally {
    clock.clearTimer(timer);
  }
}

function tlsProblem(text: string): string {
  if (/InvalidContentType|corrupt message/i.test(text)) return "the other end does not speak TLS";
  if (/UnknownIssuer/.test(text)) {
    return "its certificate comes from nobody who is trusted here (upstream_tls.ca names whom else to trust)";
  }
  if (/CaUsedAsEndEntity/.test(text)) {
    return "its certificate is one of an authority (CA:TRUE), which no server may show as its own";
  }
  const names = /only valid for (.*)$/s.exec(text)?.[1];
  if (names !== undefined) return `its certificate is for another name, only for ${names}`;
  if (/expired/i.test(text)) return `its certificate has expired: ${text}`;
  if (/unexpected end of file|connection reset/i.test(text)) {
    return `the other end closed the connection during the TLS handshake: ${text}`;
  }
  return text;
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
