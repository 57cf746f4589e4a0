/*
 * devp2p.h: one peer link of Ethereum's devp2p, as a state machine that does no IO
 *
 * Made by cbindgen of examples/c/src: do not change it by hand.
 *
 * The loop
 *
 *   A link is made by devp2p_link_initiator or devp2p_link_recipient. Then, until DEVP2P_ACTION_KIND_DISCONNECT comes:
 *
 *   1. Call devp2p_link_poll and do what it asks for, until it asks for nothing more. DEVP2P_ACTION_KIND_SEND is
 *      offered again until devp2p_link_sent covers its bytes. If the transport is full, leave this inner loop.
 *   2. Wait for bytes, but only until devp2p_link_next_timeout.
 *   3. Give the link the bytes that came by devp2p_link_receive, if devp2p_link_wants_input says so. Offer what was
 *      not taken again after the next actions.
 *   4. Tell the link the time by devp2p_link_handle_timeout.
 *
 *   examples/c/README.md has this loop in C. examples/c/poll/ is it for many links on poll(2), examples/c/board/ is
 *   it on a Cortex-M4.
 *
 * Ownership
 *
 *   All memory is the caller's. A configuration and a link are placed into memory of the caller, whose size and
 *   alignment are the constants below. From the call that makes a link until devp2p_link_end, that memory and the
 *   buffers belong to the link: do not read, write, copy or move them. Two links never share memory. A link whose
 *   buffers argument is NULL takes memory from malloc as it needs it, and gives it back in devp2p_link_end at the
 *   latest. If malloc has none, the process ends: where that must not happen, pass buffers. Both devp2p_link_end
 *   and devp2p_config_end overwrite keys, so do not leave them out.
 *
 * Lifetimes
 *
 *   What is passed to a call is read or copied before the call returns, except the memory and the buffers of a link.
 *   A configuration may be taken down while its links live. Pointers into a link, in an action or from
 *   devp2p_link_unsent, are valid until the next call with this link that is not an observer. Observers are the
 *   functions that take a const devp2p_link *. So copy the payload of a message before devp2p_link_write.
 *
 * Threads
 *
 *   The library has no state outside of links and configurations, and no thread. Different links can be used by different threads at the
 *   same time. One link can be used by any thread, one call at a time; observers may run at the same time as other
 *   observers of the link. A configuration can be used by many threads at the same time, but not during
 *   devp2p_config_end. No function blocks. No function may be called from a signal handler while the same link is
 *   in use.
 *
 * Errors
 *
 *   Nearly every call returns a devp2p_status. A call that does not return DEVP2P_STATUS_OK has changed nothing,
 *   neither the link nor what the pointers to results point to; where that is not so, the function says it. (A call
 *   that the link itself refuses, such as a message that is too large, still tells it the time.) NULL is refused by
 *   DEVP2P_STATUS_NULL_POINTER wherever it is not explicitly permitted. After devp2p_link_end, every call with the
 *   link returns DEVP2P_STATUS_GONE. What ends a link is no error of a call: the link reports it by
 *   DEVP2P_ACTION_KIND_DISCONNECT.
 *
 *   What cannot be noticed, as everywhere in C: a pointer that is neither NULL nor points to what its type says, a
 *   length that is larger than the memory, memory that overlaps, and a link in use by two threads.
 *
 * Panics
 *
 *   None. The library does not panic, and no panic could leave a function: Rust ends the process instead. Without
 *   an operating system the processor would stop.
 *
 * A library for a processor without an allocator (cargo's --no-default-features) needs less memory for a link.
 * Define DEVP2P_NO_STD before including this header to use its sizes. A size that is too small for the library
 * is refused with DEVP2P_STATUS_TOO_SHORT.
 */

#ifndef DEVP2P_H
#define DEVP2P_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef DEVP2P_NO_STD
#define DEVP2P_STD
#endif
#if UINTPTR_MAX > 0xffffffff
#define DEVP2P_64_BIT
#else
#define DEVP2P_32_BIT
#endif

/*
 * The lengths of buffers as constants
 */

/* Bytes of the largest frame with a payload of up to `payload` bytes that is sent */
#define DEVP2P_FRAME_LEN(payload) (48 + ((payload) + (payload) / 64 + 7 + 9 + 15) / 16 * 16)

/* Bytes of `transmit`, where `frames` is the sum of DEVP2P_FRAME_LEN for each name of a protocol */
#define DEVP2P_TRANSMIT_LEN(frames) (208 + ((frames) > DEVP2P_GREETING_LEN ? (frames) : DEVP2P_GREETING_LEN))

/* Bytes of ack and Hello, which are sent before any message */
#define DEVP2P_GREETING_LEN (511 + 48 + (176 + 19 * DEVP2P_MAX_PROTOCOLS + 15) / 16 * 16)

/* Bytes of `receive` for payloads of up to `max` bytes */
#define DEVP2P_RECEIVE_LEN(max) \
    (DEVP2P_RECEIVE_FRAME_LEN(max) + (max) > 2080 ? DEVP2P_RECEIVE_FRAME_LEN(max) + (max) : 2080)
#define DEVP2P_RECEIVE_FRAME_LEN(max) (16 + (DEVP2P_RECEIVE_BODY_LEN(max) + 15) / 16 * 16)
#define DEVP2P_RECEIVE_BODY_LEN(max) \
    ((max) + (max) / 6 + 41 < DEVP2P_MAX_MESSAGE ? (max) + (max) / 6 + 41 : DEVP2P_MAX_MESSAGE)


#if defined(DEVP2P_64_BIT)
/**
 * Bytes of memory for a link, besides its buffers
 */
#define DEVP2P_LINK_SIZE 3584
#endif

#if (defined(DEVP2P_32_BIT) && defined(DEVP2P_STD))
/**
 * Bytes of memory for a link, besides its buffers
 */
#define DEVP2P_LINK_SIZE 3072
#endif

#if (defined(DEVP2P_32_BIT) && !defined(DEVP2P_STD))
/**
 * Bytes of memory for a link, besides its buffers
 */
#define DEVP2P_LINK_SIZE 2304
#endif

/**
 * The memory for a link begins at a multiple of this
 */
#define DEVP2P_LINK_ALIGN 16

#if defined(DEVP2P_STD)
/**
 * Bytes of memory for a configuration
 */
#define DEVP2P_CONFIG_SIZE 2176
#endif

#if !defined(DEVP2P_STD)
/**
 * Bytes of memory for a configuration
 */
#define DEVP2P_CONFIG_SIZE 1152
#endif

/**
 * The memory for a configuration begins at a multiple of this
 */
#define DEVP2P_CONFIG_ALIGN 8

#if defined(DEVP2P_STD)
/**
 * Bytes of memory for what a link keeps of one protocol
 */
#define DEVP2P_SLOT_SIZE 176
#endif

#if !defined(DEVP2P_STD)
/**
 * Bytes of memory for what a link keeps of one protocol
 */
#define DEVP2P_SLOT_SIZE 144
#endif

/**
 * The memory for slots begins at a multiple of this
 */
#define DEVP2P_SLOT_ALIGN 8

#if defined(DEVP2P_STD)
/**
 * The most protocols that a node can offer
 */
#define DEVP2P_MAX_PROTOCOLS 16
#endif

#if !defined(DEVP2P_STD)
/**
 * The most protocols that a node can offer
 */
#define DEVP2P_MAX_PROTOCOLS 8
#endif

#if defined(DEVP2P_STD)
/**
 * The most message codes of one protocol that can have a limit of their own
 */
#define DEVP2P_MAX_CODE_LIMITS 8
#endif

#if !defined(DEVP2P_STD)
/**
 * The most message codes of one protocol that can have a limit of their own
 */
#define DEVP2P_MAX_CODE_LIMITS 4
#endif

/**
 * Bytes of the longest client id, with the zero at its end
 */
#define DEVP2P_CLIENT_ID_SIZE 97

/**
 * Bytes of the longest name of a protocol, with the zero at its end
 */
#define DEVP2P_NAME_SIZE 9

/**
 * The largest limit for messages, in bytes
 */
#define DEVP2P_MAX_MESSAGE 16777215

/**
 * The smallest limit for messages, in bytes
 */
#define DEVP2P_MIN_MESSAGE 64

/**
 * Random bytes for one link
 */
#define DEVP2P_ENTROPY_SIZE 113

/**
 * Bytes of a secret key
 */
#define DEVP2P_KEY_SIZE 32

/**
 * Bytes of a node id
 */
#define DEVP2P_ID_SIZE 64

/**
 * The time that never comes, for a timeout
 */
#define DEVP2P_NEVER 18446744073709551615ull

/**
 * Whether a call did what it is for; every other value than `DEVP2P_STATUS_OK` means that nothing has changed
 */
enum devp2p_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The call did what it is for
     */
    DEVP2P_STATUS_OK = 0,
    /**
     * There is no such thing now: no timer runs, nothing is shared at this index, Hello has not come
     */
    DEVP2P_STATUS_ABSENT,
    /**
     * A pointer is NULL that must not be NULL
     */
    DEVP2P_STATUS_NULL_POINTER,
    /**
     * Memory does not begin at a multiple of its alignment
     */
    DEVP2P_STATUS_MISALIGNED,
    /**
     * Memory has fewer bytes than its content needs
     */
    DEVP2P_STATUS_TOO_SHORT,
    /**
     * The link or the configuration was taken down, and its memory is the caller's again
     */
    DEVP2P_STATUS_GONE,
    /**
     * The library was built without an allocator, so a link needs buffers of the caller
     */
    DEVP2P_STATUS_NO_ALLOCATOR,
    /**
     * A value is none of those that are listed for it
     */
    DEVP2P_STATUS_INVALID_VALUE,
    /**
     * The bytes of the node's key are no secret key
     */
    DEVP2P_STATUS_INVALID_SECRET_KEY = 16,
    /**
     * There are more protocols than a link can carry
     */
    DEVP2P_STATUS_TOO_MANY_PROTOCOLS,
    /**
     * A protocol's name is empty, longer than 8 bytes, or not printable ASCII
     */
    DEVP2P_STATUS_INVALID_NAME,
    /**
     * A protocol is listed twice, with the same name and version
     */
    DEVP2P_STATUS_DUPLICATE_PROTOCOL,
    /**
     * The ranges of message ids do not fit into 64 bits
     */
    DEVP2P_STATUS_RANGES_TOO_LARGE,
    /**
     * More message codes of a protocol have limits of their own than a link can hold
     */
    DEVP2P_STATUS_TOO_MANY_CODE_LIMITS,
    /**
     * The message code in a limit does not exist or has two limits
     */
    DEVP2P_STATUS_INVALID_CODE_LIMIT,
    /**
     * The client id has no zero at its end, or is not UTF-8
     */
    DEVP2P_STATUS_INVALID_CLIENT_ID,
    /**
     * A timeout that would end every link at once is zero
     */
    DEVP2P_STATUS_ZERO_TIMEOUT,
    /**
     * The read timeout is not longer than the time from one Ping to the next
     */
    DEVP2P_STATUS_READ_BEFORE_PING,
    /**
     * A message limit is smaller than the base protocol needs, or larger than a frame can hold
     */
    DEVP2P_STATUS_INVALID_MESSAGE_LIMIT,
    /**
     * The receive buffer is smaller than `devp2p_config_receive_len`
     */
    DEVP2P_STATUS_RECEIVE_BUFFER_TOO_SMALL = 32,
    /**
     * The transmit buffer is smaller than `devp2p_config_transmit_len`
     */
    DEVP2P_STATUS_TRANSMIT_BUFFER_TOO_SMALL,
    /**
     * There are fewer slots than protocols
     */
    DEVP2P_STATUS_TOO_FEW_SLOTS,
    /**
     * The id of the node to dial is no public key
     */
    DEVP2P_STATUS_INVALID_REMOTE,
    /**
     * The entropy is zero, constant or repeats itself, so no random generator made it
     */
    DEVP2P_STATUS_WEAK_ENTROPY,
    /**
     * Earlier messages of the protocol are unsent; `DEVP2P_ACTION_KIND_WRITABLE` says when to write again
     */
    DEVP2P_STATUS_FULL = 48,
    /**
     * The message is larger than this link can send
     */
    DEVP2P_STATUS_TOO_LARGE,
    /**
     * The message code is not below the protocol's length
     */
    DEVP2P_STATUS_INVALID_CODE,
    /**
     * The protocol is not shared with the peer
     */
    DEVP2P_STATUS_NOT_SHARED,
    /**
     * The link is not ready for messages yet
     */
    DEVP2P_STATUS_NOT_READY,
    /**
     * The link has ended or is about to end
     */
    DEVP2P_STATUS_CLOSED,
    /**
     * More bytes were reported as sent than were unsent
     */
    DEVP2P_STATUS_SENT_TOO_MUCH,
    /**
     * An enode URL does not begin with `enode://`
     */
    DEVP2P_STATUS_INVALID_ENODE_SCHEME = 56,
    /**
     * An enode URL does not have 128 hexadecimal digits before the `@`
     */
    DEVP2P_STATUS_INVALID_ENODE_ID,
    /**
     * An enode URL does not have an IP address with a port after the `@`
     */
    DEVP2P_STATUS_INVALID_ENODE_ADDRESS,
    /**
     * The query of an enode URL is not `discport` with a port
     */
    DEVP2P_STATUS_INVALID_ENODE_QUERY,
    /**
     * Refused for a reason that has no number here yet
     */
    DEVP2P_STATUS_REFUSED = 64,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum devp2p_status devp2p_status;
#else
typedef int32_t devp2p_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What there is to do
 */
enum devp2p_action_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Nothing until the next event
     */
    DEVP2P_ACTION_KIND_NONE = 0,
    /**
     * The peer claims a key, in `of.identity_claimed`; the place to refuse it by `devp2p_link_disconnect`. Nothing is
     * proven yet
     */
    DEVP2P_ACTION_KIND_IDENTITY_CLAIMED,
    /**
     * Both Hellos are exchanged and protocols are agreed: start those that `devp2p_link_shared` lists
     */
    DEVP2P_ACTION_KIND_READY,
    /**
     * A message for a protocol, in `of.deliver`; handed out once
     */
    DEVP2P_ACTION_KIND_DELIVER,
    /**
     * A message was larger than its limit, and is gone; its sizes are in `of.skipped`
     */
    DEVP2P_ACTION_KIND_SKIPPED,
    /**
     * The protocol in `of.writable` was refused with `DEVP2P_STATUS_FULL`, and can write again
     */
    DEVP2P_ACTION_KIND_WRITABLE,
    /**
     * The bytes in `of.send` are for the transport, and are offered until `devp2p_link_sent` covers them
     */
    DEVP2P_ACTION_KIND_SEND,
    /**
     * The link has ended: close the transport. Comes once, as the last action, with the cause in `of.disconnect`
     */
    DEVP2P_ACTION_KIND_DISCONNECT,
    /**
     * Something that this version of the interface has no name for; ignore it
     */
    DEVP2P_ACTION_KIND_OTHER,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum devp2p_action_kind devp2p_action_kind;
#else
typedef uint32_t devp2p_action_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What ended a link
 */
enum devp2p_cause_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Something that this version of the interface has no name for
     */
    DEVP2P_CAUSE_KIND_OTHER = 0,
    /**
     * The peer sent Disconnect
     */
    DEVP2P_CAUSE_KIND_REMOTE,
    /**
     * The driver called `devp2p_link_disconnect`
     */
    DEVP2P_CAUSE_KIND_LOCAL,
    /**
     * A protocol of this node has finished
     */
    DEVP2P_CAUSE_KIND_PROTOCOL_RETURNED,
    /**
     * A protocol of this node has failed
     */
    DEVP2P_CAUSE_KIND_PROTOCOL_FAILED,
    /**
     * The peer broke the rules
     */
    DEVP2P_CAUSE_KIND_VIOLATION,
    /**
     * The two nodes have no protocol in common
     */
    DEVP2P_CAUSE_KIND_NOTHING_SHARED,
    /**
     * The handshake took too long
     */
    DEVP2P_CAUSE_KIND_HANDSHAKE_TIMEOUT,
    /**
     * The peer was silent for too long
     */
    DEVP2P_CAUSE_KIND_READ_TIMEOUT,
    /**
     * The rest of a frame of the peer did not come
     */
    DEVP2P_CAUSE_KIND_FRAME_TIMEOUT,
    /**
     * The peer did not answer a Ping
     */
    DEVP2P_CAUSE_KIND_PONG_TIMEOUT,
    /**
     * The transport did not take the unsent bytes
     */
    DEVP2P_CAUSE_KIND_WRITE_TIMEOUT,
    /**
     * The stream of the peer ended, or reading failed
     */
    DEVP2P_CAUSE_KIND_RECEIVE_CLOSED,
    /**
     * Writing failed
     */
    DEVP2P_CAUSE_KIND_SEND_FAILED,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum devp2p_cause_kind devp2p_cause_kind;
#else
typedef uint32_t devp2p_cause_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a peer did that no correct peer does
 */
enum devp2p_violation
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Nothing
     */
    DEVP2P_VIOLATION_NONE = 0,
    /**
     * Something that this version of the interface has no name for
     */
    DEVP2P_VIOLATION_OTHER,
    /**
     * A handshake packet announced more than 2048 bytes
     */
    DEVP2P_VIOLATION_HANDSHAKE_TOO_LARGE,
    /**
     * A handshake packet announced fewer bytes than its envelope takes
     */
    DEVP2P_VIOLATION_HANDSHAKE_TOO_SHORT,
    /**
     * A handshake packet had the form from before EIP-8
     */
    DEVP2P_VIOLATION_PRE_EIP8_HANDSHAKE,
    /**
     * A public key was not a point of the curve
     */
    DEVP2P_VIOLATION_INVALID_PUBLIC_KEY,
    /**
     * A handshake packet was damaged, or was encrypted to another key
     */
    DEVP2P_VIOLATION_HANDSHAKE_TAG_MISMATCH,
    /**
     * The body of a handshake packet was malformed
     */
    DEVP2P_VIOLATION_MALFORMED_HANDSHAKE,
    /**
     * The signature in auth was malformed, or is no signature of any key
     */
    DEVP2P_VIOLATION_INVALID_SIGNATURE,
    /**
     * The MAC of a frame's header was wrong
     */
    DEVP2P_VIOLATION_HEADER_MAC_MISMATCH,
    /**
     * The MAC of a frame's body was wrong
     */
    DEVP2P_VIOLATION_BODY_MAC_MISMATCH,
    /**
     * The body of a frame was empty
     */
    DEVP2P_VIOLATION_EMPTY_FRAME,
    /**
     * A frame announced more than the largest permitted message takes
     */
    DEVP2P_VIOLATION_FRAME_TOO_LARGE,
    /**
     * A message id was not a canonical integer
     */
    DEVP2P_VIOLATION_MALFORMED_MESSAGE_ID,
    /**
     * A message id was outside every shared range
     */
    DEVP2P_VIOLATION_UNKNOWN_MESSAGE_ID,
    /**
     * A payload was not a Snappy block
     */
    DEVP2P_VIOLATION_MALFORMED_COMPRESSION,
    /**
     * A payload was larger than the limit for its message
     */
    DEVP2P_VIOLATION_PAYLOAD_TOO_LARGE,
    /**
     * A message other than Hello or Disconnect came before Hello
     */
    DEVP2P_VIOLATION_EXPECTED_HELLO,
    /**
     * Hello was malformed
     */
    DEVP2P_VIOLATION_MALFORMED_HELLO,
    /**
     * Hello named a version of the base protocol from before RLPx v4
     */
    DEVP2P_VIOLATION_INCOMPATIBLE_VERSION,
    /**
     * Hello named a node id of zeros
     */
    DEVP2P_VIOLATION_NULL_IDENTITY,
    /**
     * Hello named another node id than the handshake
     */
    DEVP2P_VIOLATION_UNEXPECTED_IDENTITY,
    /**
     * The peer has the key of this node
     */
    DEVP2P_VIOLATION_CONNECTED_TO_SELF,
    /**
     * Disconnect was in none of the known encodings
     */
    DEVP2P_VIOLATION_MALFORMED_DISCONNECT,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum devp2p_violation devp2p_violation;
#else
typedef uint32_t devp2p_violation;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A timer of a link
 */
enum devp2p_timer
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * One that this version of the interface has no name for
     */
    DEVP2P_TIMER_OTHER = 0,
    /**
     * Limits the time of the handshake
     */
    DEVP2P_TIMER_HANDSHAKE,
    /**
     * Sends the next Ping
     */
    DEVP2P_TIMER_PING,
    /**
     * Limits the time until our Ping is answered
     */
    DEVP2P_TIMER_PONG,
    /**
     * Limits the silence of the peer
     */
    DEVP2P_TIMER_READ,
    /**
     * Limits the time of an incomplete frame of the peer
     */
    DEVP2P_TIMER_FRAME,
    /**
     * Limits the time for which the transport takes nothing
     */
    DEVP2P_TIMER_WRITE,
    /**
     * Limits the time until the transport has taken all bytes
     */
    DEVP2P_TIMER_DRAIN,
    /**
     * Gives back memory that is not needed
     */
    DEVP2P_TIMER_MEMORY,
    /**
     * Limits the time until the peer closes the connection
     */
    DEVP2P_TIMER_LINGER,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum devp2p_timer devp2p_timer;
#else
typedef uint32_t devp2p_timer;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Where a link is in its life
 */
enum devp2p_stage
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * One that this version of the interface has no name for
     */
    DEVP2P_STAGE_OTHER = 0,
    /**
     * Keys are being agreed on
     */
    DEVP2P_STAGE_HANDSHAKE,
    /**
     * The peer has claimed a key; the driver may admit it or not
     */
    DEVP2P_STAGE_ADMISSION,
    /**
     * Hellos are being exchanged
     */
    DEVP2P_STAGE_HELLO,
    /**
     * Messages go both ways
     */
    DEVP2P_STAGE_RUNNING,
    /**
     * The end is decided: our last bytes leave, or the link waits for the peer's Disconnect
     */
    DEVP2P_STAGE_CLOSING,
    /**
     * Nothing goes either way any more
     */
    DEVP2P_STAGE_CLOSED,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum devp2p_stage devp2p_stage;
#else
typedef uint32_t devp2p_stage;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Which node opened the connection
 */
enum devp2p_role
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * This node dialled
     */
    DEVP2P_ROLE_INITIATOR = 0,
    /**
     * This node was dialled
     */
    DEVP2P_ROLE_RECIPIENT = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum devp2p_role devp2p_role;
#else
typedef uint32_t devp2p_role;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a protocol has ended; the last argument of `devp2p_link_protocol_returned`
 */
enum devp2p_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * It has finished
     */
    DEVP2P_OUTCOME_FINISHED = 0,
    /**
     * It has failed for a reason of its own, which the peer is told
     */
    DEVP2P_OUTCOME_REASON = 1,
    /**
     * A message of the peer could not be decoded, or its code has no meaning
     */
    DEVP2P_OUTCOME_BAD_MESSAGE = 2,
    /**
     * It has failed in another way
     */
    DEVP2P_OUTCOME_FAILED = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum devp2p_outcome devp2p_outcome;
#else
typedef uint32_t devp2p_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A configuration, in memory of the caller
 *
 * One configuration serves any number of links, and they copy what they need. It has the node's secret key, which is
 * overwritten by `devp2p_config_end`.
 */
typedef struct devp2p_config devp2p_config;

/**
 * A link, in memory of the caller
 *
 * From the first byte of the handshake to the last Disconnect. Its keys are overwritten by `devp2p_link_end`. Do not
 * copy or move the memory.
 */
typedef struct devp2p_link devp2p_link;

/**
 * The id of a node: its public key
 */
typedef struct {
    /**
     * The two coordinates, big-endian
     */
    uint8_t bytes[DEVP2P_ID_SIZE];
} devp2p_id;

/**
 * A message of the peer
 */
typedef struct {
    /**
     * The protocol, by its position in the settings
     */
    size_t protocol;
    /**
     * The message code, relative to the protocol
     */
    uint64_t code;
    /**
     * The payload, decompressed
     */
    const uint8_t *payload;
    /**
     * Bytes of the payload
     */
    size_t len;
    /**
     * Bytes of the frame, as on the wire
     */
    size_t wire_len;
} devp2p_deliver;

/**
 * A message of the peer that was larger than its limit
 */
typedef struct {
    /**
     * The protocol, by its position in the settings
     */
    size_t protocol;
    /**
     * The message code, relative to the protocol
     */
    uint64_t code;
    /**
     * Bytes of the payload, as the peer claims
     */
    size_t size;
    /**
     * Bytes of the frame, as on the wire
     */
    size_t wire_len;
} devp2p_skipped;

/**
 * Bytes for the transport
 */
typedef struct {
    /**
     * The first of them
     */
    const uint8_t *bytes;
    /**
     * How many there are
     */
    size_t len;
} devp2p_send;

/**
 * A protocol by name and version
 */
typedef struct {
    /**
     * Its name, with a zero at its end
     */
    char name[DEVP2P_NAME_SIZE];
    /**
     * Its version
     */
    uint64_t version;
} devp2p_capability;

/**
 * Why a link has ended: who ended it, and what happened. `devp2p_link_cause_text` says it in English
 */
typedef struct {
    /**
     * What happened
     */
    devp2p_cause_kind kind;
    /**
     * The peer's violation, for `DEVP2P_CAUSE_KIND_VIOLATION`
     */
    devp2p_violation violation;
    /**
     * The number of the reason (rlpx.md, Disconnect)
     */
    uint64_t reason;
    /**
     * The reason in our Disconnect, or `DEVP2P_NEVER` if none is sent
     */
    uint64_t sent_reason;
    /**
     * The protocol, for `DEVP2P_CAUSE_KIND_PROTOCOL_RETURNED` and `DEVP2P_CAUSE_KIND_PROTOCOL_FAILED`
     */
    size_t protocol;
    /**
     * Its name and version
     */
    devp2p_capability capability;
} devp2p_cause;

/**
 * What belongs to an action
 */
typedef union {
    /**
     * The id of the node that the peer claims to be
     */
    devp2p_id identity_claimed;
    /**
     * The message
     */
    devp2p_deliver deliver;
    /**
     * The message that is gone
     */
    devp2p_skipped skipped;
    /**
     * The protocol, by its position in the settings
     */
    size_t writable;
    /**
     * The bytes
     */
    devp2p_send send;
    /**
     * Why the link has ended
     */
    devp2p_cause disconnect;
} devp2p_action_content;

/**
 * What the driver has to do next
 *
 * Pointers in an action are into the memory of the link. They are valid until the next call with this link that is
 * not an observer (`const devp2p_link *`).
 */
typedef struct {
    /**
     * What it is
     */
    devp2p_action_kind kind;
    /**
     * What belongs to it; only the member that `kind` names
     */
    devp2p_action_content of;
} devp2p_action;

/**
 * A message code with a limit of its own for received messages
 */
typedef struct {
    /**
     * The message code
     */
    uint64_t code;
    /**
     * The largest payload, in bytes
     */
    size_t max_message;
} devp2p_code_limit;

/**
 * A protocol that the node offers
 *
 * What is left out in an initializer is zero, and zero means the default: `{ .name = "echo", .version = 1, .length = 16 }`.
 */
typedef struct {
    /**
     * Its name: 1 to 8 printable ASCII characters, and a zero
     */
    char name[DEVP2P_NAME_SIZE];
    /**
     * Its version
     */
    uint64_t version;
    /**
     * How many message codes it has
     */
    uint64_t length;
    /**
     * The largest payload in both directions, 0 for no limit besides that of the node
     */
    size_t max_message;
    /**
     * The largest payload that is sent, 0 for `max_message`
     */
    size_t max_send;
    /**
     * Limits of single codes; may be NULL if there are none
     */
    const devp2p_code_limit *code_limits;
    /**
     * How many limits of single codes there are
     */
    size_t code_limit_count;
    /**
     * Not 0 if received messages that are larger than their limit are skipped, instead of ending the link
     */
    uint8_t skip_larger;
} devp2p_protocol;

/**
 * The time limits and intervals of a link, in nanoseconds
 *
 * With `DEVP2P_NEVER` a timer never goes off.
 */
typedef struct {
    /**
     * Both stages of the handshake together
     */
    uint64_t handshake;
    /**
     * From Ready to the first Ping, and from one Ping to the next
     */
    uint64_t ping;
    /**
     * From the moment at which a Ping has left to its Pong
     */
    uint64_t pong;
    /**
     * The longest silence of the peer, and the longest time of one frame of the peer
     */
    uint64_t read;
    /**
     * The longest time for which the transport takes none of the unsent bytes
     */
    uint64_t write;
    /**
     * How long the peer may take to close the connection after our Disconnect has left
     */
    uint64_t linger;
    /**
     * The slowest rate of large frames, in bytes per second
     */
    uint32_t slowest_rate;
} devp2p_timeouts;

/**
 * What a configuration is made of; copied, so it is not needed afterwards
 */
typedef struct {
    /**
     * The secret key of the node, 32 bytes, big-endian; overwrite it when the configuration is made
     */
    uint8_t secret_key[DEVP2P_KEY_SIZE];
    /**
     * For people to read, by convention `name/version/platform`; UTF-8, and a zero
     */
    char client_id[DEVP2P_CLIENT_ID_SIZE];
    /**
     * The TCP port that the node announces, 0 for none
     */
    uint16_t listen_port;
    /**
     * The protocols that the node offers; the position of a protocol is its number in all calls
     */
    const devp2p_protocol *protocols;
    /**
     * How many protocols there are
     */
    size_t protocol_count;
    /**
     * The largest payload in both directions, in bytes
     */
    size_t max_message;
    /**
     * The largest payload that is sent, in bytes
     */
    size_t max_send;
    /**
     * How many bytes of frames may be unsent, in buffers that grow
     */
    size_t send_window;
    /**
     * The timeouts
     */
    devp2p_timeouts timeouts;
} devp2p_settings;

/**
 * A node and where it listens, as an enode URL names it
 */
typedef struct {
    /**
     * The id of the node
     */
    devp2p_id id;
    /**
     * The IP address, big-endian; an IPv4 address in its first 4 bytes, and zeros
     */
    uint8_t address[16];
    /**
     * Bytes of the address: 4 for IPv4, 16 for IPv6
     */
    size_t address_len;
    /**
     * The port
     */
    uint16_t port;
} devp2p_enode;

/**
 * A message that was sent: its sizes, for those who count
 */
typedef struct {
    /**
     * Bytes of the payload, not compressed
     */
    size_t size;
    /**
     * Bytes of the frame, as on the wire
     */
    size_t wire_size;
} devp2p_written;

/**
 * Writes a message into `room`, which has `max` bytes with any content, and returns how many of them are the payload
 *
 * `context` is that of the call. The function must not call the library with this link, and must return: no `longjmp`,
 * no exception.
 */
typedef size_t (*devp2p_fill)(void *context, uint8_t *room, size_t max);

/**
 * Random bytes for one link: from the system's generator, never used for a second link
 */
typedef struct {
    /**
     * The bytes; overwrite them when the link is made
     */
    uint8_t bytes[DEVP2P_ENTROPY_SIZE];
} devp2p_entropy;

/**
 * The memory of one link besides its state; it belongs to the link until `devp2p_link_end`
 *
 * The content is overwritten when a link is made, also if that is refused in the end.
 */
typedef struct {
    /**
     * For one incoming frame and its payload: `devp2p_config_receive_len` bytes, or `DEVP2P_RECEIVE_LEN`
     */
    uint8_t *receive;
    /**
     * The bytes of `receive`
     */
    size_t receive_len;
    /**
     * For frames that are not sent yet: at least `devp2p_config_transmit_len` bytes, or `DEVP2P_TRANSMIT_LEN`
     */
    uint8_t *transmit;
    /**
     * The bytes of `transmit`
     */
    size_t transmit_len;
    /**
     * For the compressor: a power of two from 256 to 16,384 entries; with fewer nothing is compressed
     */
    uint16_t *table;
    /**
     * The entries of `table`
     */
    size_t table_len;
    /**
     * `DEVP2P_SLOT_SIZE` bytes for each protocol, from a multiple of `DEVP2P_SLOT_ALIGN` on
     */
    void *slots;
    /**
     * The bytes of `slots`
     */
    size_t slots_size;
} devp2p_buffers;

/**
 * What the remote said about itself in its Hello
 */
typedef struct {
    /**
     * The version of the base protocol that it speaks
     */
    uint64_t version;
    /**
     * Its client id, printable ASCII, with a zero at its end
     */
    char client_id[DEVP2P_CLIENT_ID_SIZE];
    /**
     * How many of its capabilities `devp2p_link_remote_capability` gives
     */
    size_t capabilities;
    /**
     * How many more it has listed
     */
    size_t omitted_capabilities;
    /**
     * The port on which it says that it listens, 0 for none
     */
    uint64_t listen_port;
} devp2p_hello;

/**
 * A protocol that both nodes run, and its message ids on this link
 */
typedef struct {
    /**
     * The protocol, by its position in the settings
     */
    size_t protocol;
    /**
     * Its name and version
     */
    devp2p_capability capability;
    /**
     * The message id of its code 0
     */
    uint64_t offset;
    /**
     * How many message codes it has
     */
    uint64_t length;
} devp2p_shared;

/**
 * What has gone over the link in one direction
 */
typedef struct {
    /**
     * Messages
     */
    uint64_t messages;
    /**
     * Bytes of their payloads, not compressed
     */
    uint64_t payload_bytes;
    /**
     * Bytes of their frames, as on the wire
     */
    uint64_t wire_bytes;
} devp2p_counters;

/**
 * What has gone over the link in both directions
 */
typedef struct {
    /**
     * From the peer
     */
    devp2p_counters ingress;
    /**
     * To the peer
     */
    devp2p_counters egress;
} devp2p_traffic;

/**
 * The Pings and Pongs of a link
 */
typedef struct {
    /**
     * Pings that this node has sent
     */
    uint64_t pings_sent;
    /**
     * Pings that the peer has answered
     */
    uint64_t pongs_received;
    /**
     * Pings that the peer has sent
     */
    uint64_t pings_received;
    /**
     * Pings that this node has answered
     */
    uint64_t pongs_sent;
    /**
     * Nanoseconds from the last answered Ping to its Pong; `DEVP2P_NEVER` if none was answered
     */
    uint64_t round_trip;
} devp2p_liveness;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The next thing to do
 *
 * Call it until it gives `DEVP2P_ACTION_KIND_NONE`, or `DEVP2P_ACTION_KIND_SEND` while the transport takes nothing. An action
 * that is dropped is lost: a message, or the end of the link.
 */
devp2p_status devp2p_link_poll(devp2p_link *link,
                               devp2p_action *action);

/**
 * Fills `settings` with the defaults: no key, no name, no protocols
 *
 * NULL is ignored.
 */
void devp2p_settings_init(devp2p_settings *settings);

/**
 * Makes a configuration in the memory of the caller
 *
 * `memory` has `size` bytes, at least `DEVP2P_CONFIG_SIZE`, and begins at a multiple of `DEVP2P_CONFIG_ALIGN`. It must
 * hold no configuration now. `*config` is then the configuration, in that memory.
 *
 * Returns `DEVP2P_STATUS_OK`, an error of memory, or one of those from `DEVP2P_STATUS_INVALID_SECRET_KEY` on.
 *
 * # Safety
 * Each pointer is NULL or points to what its type and this text say.
 */
devp2p_status devp2p_config_init(void *memory,
                                 size_t size,
                                 const devp2p_settings *settings,
                                 devp2p_config **config);

/**
 * Takes the configuration down and overwrites its key; its memory is the caller's again
 *
 * Links that were made with it go on.
 */
devp2p_status devp2p_config_end(devp2p_config *config);

/**
 * The id of the node
 */
devp2p_status devp2p_config_id(const devp2p_config *config, devp2p_id *id);

/**
 * The length that `receive` in `devp2p_buffers` must have
 */
devp2p_status devp2p_config_receive_len(const devp2p_config *config, size_t *len);

/**
 * The length that `transmit` in `devp2p_buffers` must have
 */
devp2p_status devp2p_config_transmit_len(const devp2p_config *config, size_t *len);

/**
 * Reads an enode URL, `enode://ID@ADDRESS:PORT`, with a numeric address
 *
 * `len` is the length of `url` without a zero at its end, which is not needed. The query `discport` is accepted and
 * dropped, and so is the zone of an IPv6 address.
 *
 * # Safety
 * Each pointer is NULL or points to what its type and this text say.
 */
devp2p_status devp2p_enode_parse(const char *url,
                                 size_t len,
                                 devp2p_enode *enode);

/**
 * Writes the enode URL of a node, with a zero at its end
 *
 * `size` is the size of `text`; 192 bytes are always enough. `*len` is the length of the URL without its zero, also if
 * the call returns `DEVP2P_STATUS_TOO_SHORT`; then `text` has as much of it as fits. `len` may be NULL.
 * `DEVP2P_STATUS_INVALID_ENODE_ADDRESS` if the length of the address is neither 4 nor 16.
 *
 * # Safety
 * Each pointer is NULL or points to what its type and this text say.
 */
devp2p_status devp2p_enode_text(const devp2p_enode *enode,
                                char *text,
                                size_t size,
                                size_t *len);

/**
 * Gives the link bytes of the peer; `*taken` is how many it took
 *
 * The link completes at most one message, and takes nothing more until that was polled: keep the rest, and offer it
 * again. The end of the stream is `devp2p_link_receive_closed`. `bytes` may be NULL if `len` is 0.
 *
 * # Safety
 * Each pointer is NULL or points to what its type and this text say.
 */
devp2p_status devp2p_link_receive(devp2p_link *link,
                                  uint64_t now,
                                  const uint8_t *bytes,
                                  size_t len,
                                  size_t *taken);

/**
 * Notes that the stream of the peer has ended, or that reading failed; a message that came before is still delivered
 */
devp2p_status devp2p_link_receive_closed(devp2p_link *link,
                                         uint64_t now);

/**
 * Holds messages back while the driver cannot take another one, or no longer
 *
 * Meanwhile, continue to give input to the link: Pings are answered, and `devp2p_link_poll` gives all but
 * `DEVP2P_ACTION_KIND_DELIVER`. A second call with the same value does nothing.
 */
devp2p_status devp2p_link_hold_input(devp2p_link *link, uint64_t now, bool held);

/**
 * Does what has become due; early calls do nothing
 *
 * `now`, here and in every other call, is in nanoseconds, of a clock that goes forward at the pace of real time, such as
 * `CLOCK_MONOTONIC`.
 */
devp2p_status devp2p_link_handle_timeout(devp2p_link *link,
                                         uint64_t now);

/**
 * Notes that the transport took the first `len` unsent bytes; `DEVP2P_STATUS_SENT_TOO_MUCH` if there are fewer
 */
devp2p_status devp2p_link_sent(devp2p_link *link,
                               uint64_t now,
                               size_t len);

/**
 * Notes that writing failed
 *
 * Keep reading: the peer may have sent the reason for which it has closed the connection.
 */
devp2p_status devp2p_link_send_failed(devp2p_link *link, uint64_t now);

/**
 * Sends a complete message, or refuses it
 *
 * The payload is sealed at once, so its memory is free again. It must not be the payload of a delivered message, which is
 * in the memory of the link: copy that first. `payload` may be NULL if `len` is 0. `written` may be NULL.
 *
 * Returns `DEVP2P_STATUS_OK`, or one of the errors from `DEVP2P_STATUS_FULL` on. After `DEVP2P_STATUS_FULL` every message
 * of the protocol is refused until `DEVP2P_ACTION_KIND_WRITABLE` comes; then its next message is taken.
 *
 * # Safety
 * Each pointer is NULL or points to what its type and this text say.
 */
devp2p_status devp2p_link_write(devp2p_link *link,
                                uint64_t now,
                                size_t protocol,
                                uint64_t code,
                                const uint8_t *payload,
                                size_t len,
                                devp2p_written *written);

/**
 * Sends a message that `fill` writes directly into the transmit buffer, without compression
 *
 * `fill` is called at most once, during this call, and only if a message of `max` bytes would be taken. `written` may
 * be NULL. Returns what `devp2p_link_write` returns, and `DEVP2P_STATUS_TOO_LARGE` if `fill` returns more than `max`.
 *
 * # Safety
 * `fill` does what its type says.
 */
devp2p_status devp2p_link_write_with(devp2p_link *link,
                                     uint64_t now,
                                     size_t protocol,
                                     uint64_t code,
                                     size_t max,
                                     devp2p_fill fill,
                                     void *context,
                                     devp2p_written *written);

/**
 * Sends a Ping now; nothing happens if one is on its way already
 */
devp2p_status devp2p_link_ping(devp2p_link *link, uint64_t now);

/**
 * Ends the link since a protocol has finished or failed
 *
 * `outcome` is a `devp2p_outcome`. `reason` counts for `DEVP2P_OUTCOME_REASON` only. Returns `DEVP2P_STATUS_NOT_SHARED` if the
 * protocol is not shared, and `DEVP2P_STATUS_INVALID_VALUE` for another `outcome`.
 */
devp2p_status devp2p_link_protocol_returned(devp2p_link *link,
                                            uint64_t now,
                                            size_t protocol,
                                            uint32_t outcome,
                                            uint64_t reason);

/**
 * Ends the link for this reason
 *
 * Messages that were accepted before leave first, and then Disconnect. Right after `DEVP2P_ACTION_KIND_IDENTITY_CLAIMED`,
 * Disconnect takes the place of our Hello.
 */
devp2p_status devp2p_link_disconnect(devp2p_link *link,
                                     uint64_t now,
                                     uint64_t reason);

/**
 * Makes a link to the node `remote`, on a connection that this node has opened
 *
 * `memory` has `size` bytes, at least `DEVP2P_LINK_SIZE`, and begins at a multiple of `DEVP2P_LINK_ALIGN`. It must hold
 * no link now. `*link` is then the link, in that memory. If `buffers` is NULL, the link has buffers that grow; a library
 * without an allocator refuses that with `DEVP2P_STATUS_NO_ALLOCATOR`.
 *
 * Returns `DEVP2P_STATUS_OK`, an error of memory, or one of those from `DEVP2P_STATUS_RECEIVE_BUFFER_TOO_SMALL` on. After an error the
 * memory and the buffers are the caller's.
 *
 * # Safety
 * Each pointer is NULL or points to what its type and this text say.
 */
devp2p_status devp2p_link_initiator(void *memory,
                                    size_t size,
                                    uint64_t now,
                                    const devp2p_config *config,
                                    const devp2p_id *remote,
                                    const devp2p_entropy *entropy,
                                    const devp2p_buffers *buffers,
                                    devp2p_link **link);

/**
 * Makes a link on a connection that another node has opened; otherwise like `devp2p_link_initiator`
 *
 * # Safety
 * Each pointer is NULL or points to what its type and this text say.
 */
devp2p_status devp2p_link_recipient(void *memory,
                                    size_t size,
                                    uint64_t now,
                                    const devp2p_config *config,
                                    const devp2p_entropy *entropy,
                                    const devp2p_buffers *buffers,
                                    devp2p_link **link);

/**
 * Takes the link down: overwrites its keys and frees buffers that have grown; its memory and buffers are the caller's again
 *
 * Nothing is sent: call it after `DEVP2P_ACTION_KIND_DISCONNECT`. Every later call with this link returns `DEVP2P_STATUS_GONE`, as
 * long as the memory is not used for anything else.
 */
devp2p_status devp2p_link_end(devp2p_link *link);

/**
 * Whether `devp2p_link_receive` would take bytes now; read from the transport only while this is true
 */
devp2p_status devp2p_link_wants_input(const devp2p_link *link, bool *wants);

/**
 * The bytes for the transport, as `DEVP2P_ACTION_KIND_SEND` offers them; valid until the next call that changes the link
 */
devp2p_status devp2p_link_unsent(const devp2p_link *link,
                                 const uint8_t **bytes,
                                 size_t *len);

/**
 * When to call `devp2p_link_handle_timeout` if nothing else happens; `DEVP2P_NEVER` while no timer runs
 */
devp2p_status devp2p_link_next_timeout(const devp2p_link *link, uint64_t *at);

/**
 * The timer that goes off then; `DEVP2P_STATUS_ABSENT` while no timer runs
 */
devp2p_status devp2p_link_next_timer(const devp2p_link *link, devp2p_timer *timer);

/**
 * The largest payload that the protocol can write now; `DEVP2P_STATUS_ABSENT` if none is taken
 */
devp2p_status devp2p_link_write_capacity(const devp2p_link *link, size_t protocol, size_t *len);

/**
 * Where the link is in its life
 */
devp2p_status devp2p_link_stage(const devp2p_link *link, devp2p_stage *stage);

/**
 * Which node opened the connection
 */
devp2p_status devp2p_link_role(const devp2p_link *link, devp2p_role *role);

/**
 * Why the link has ended or is about to end; `DEVP2P_STATUS_ABSENT` before that
 */
devp2p_status devp2p_link_cause(const devp2p_link *link, devp2p_cause *cause);

/**
 * The same as a text in English, with a zero at its end
 *
 * `size` is the size of `text`. `*len` is the length of the text without its zero, also if the call returns
 * `DEVP2P_STATUS_TOO_SHORT`; then `text` has as much of it as fits. `len` may be NULL. Text of a peer is not in it.
 *
 * # Safety
 * Each pointer is NULL or points to what its type and this text say.
 */
devp2p_status devp2p_link_cause_text(const devp2p_link *link,
                                     char *text,
                                     size_t size,
                                     size_t *len);

/**
 * Whether the driver holds input
 */
devp2p_status devp2p_link_is_input_held(const devp2p_link *link, bool *held);

/**
 * The id of this node
 */
devp2p_status devp2p_link_local_id(const devp2p_link *link, devp2p_id *id);

/**
 * The id that the remote claims; `DEVP2P_STATUS_ABSENT` before the handshake
 */
devp2p_status devp2p_link_remote_id(const devp2p_link *link, devp2p_id *id);

/**
 * Whether a frame of the remote had a valid MAC, which only the owner of its key could make
 */
devp2p_status devp2p_link_is_remote_proven(const devp2p_link *link, bool *proven);

/**
 * What the remote said about itself; `DEVP2P_STATUS_ABSENT` before its Hello
 */
devp2p_status devp2p_link_remote_hello(const devp2p_link *link, devp2p_hello *hello);

/**
 * The capability of the remote with this index; `DEVP2P_STATUS_ABSENT` beyond the last
 */
devp2p_status devp2p_link_remote_capability(const devp2p_link *link,
                                            size_t index,
                                            devp2p_capability *capability);

/**
 * The shared protocol with this index, in the order of the settings; `DEVP2P_STATUS_ABSENT` beyond the last, and before Hello
 */
devp2p_status devp2p_link_shared(const devp2p_link *link,
                                 size_t index,
                                 devp2p_shared *shared);

/**
 * The traffic of a protocol; `DEVP2P_STATUS_ABSENT` if there is no such protocol
 */
devp2p_status devp2p_link_traffic(const devp2p_link *link, size_t protocol, devp2p_traffic *traffic);

/**
 * The Pings and Pongs so far
 */
devp2p_status devp2p_link_liveness(const devp2p_link *link, devp2p_liveness *liveness);

/**
 * How long the link has existed, in nanoseconds
 */
devp2p_status devp2p_link_age(const devp2p_link *link, uint64_t now, uint64_t *age);

/**
 * The bytes of `receive` in `devp2p_buffers` for payloads of up to `max_message` bytes; as `DEVP2P_RECEIVE_LEN`
 */
size_t devp2p_receive_len(size_t max_message);

/**
 * The bytes of `transmit` in `devp2p_buffers` for one name of a protocol with payloads of up to `max_send` bytes
 *
 * As `DEVP2P_TRANSMIT_LEN(DEVP2P_FRAME_LEN(max_send))`.
 */
size_t devp2p_transmit_len(size_t max_send);

/**
 * The meaning of a status in English, as a string that always exists; never NULL
 */
const char *devp2p_status_text(int32_t status);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* DEVP2P_H */
