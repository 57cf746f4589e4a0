-- Names the packets of a capture that `replay --pcapng` has written, in Wireshark and tshark:
--
--   tshark -X lua_script:link.lua -r link.pcapng
--
-- The header of a packet holds the names that are shown here. Its format is described in capture.rs.

local VERSION = 1
local SIDES = { [0] = "sent", [1] = "received", [2] = "here" }
local KINDS = { {{kinds}} }

local devp2p = Proto("devp2p", "Ethereum devp2p link")
local field = {
    side = ProtoField.uint8("devp2p.side", "Side", base.DEC, SIDES),
    kind = ProtoField.uint8("devp2p.kind", "Kind", base.DEC, KINDS),
    layer = ProtoField.string("devp2p.protocol", "Protocol"),
    name = ProtoField.string("devp2p.name", "Name"),
    detail = ProtoField.string("devp2p.detail", "Detail"),
    code = ProtoField.uint64("devp2p.code", "Code", base.HEX),
    wire = ProtoField.uint64("devp2p.wire", "Bytes on the wire"),
    size = ProtoField.uint64("devp2p.size", "Bytes of the payload"),
    payload = ProtoField.bytes("devp2p.payload", "Payload"),
}
devp2p.fields = field
local absent = ProtoExpert.new("devp2p.absent", "The payload is not in this file", expert.group.COMMENTS_GROUP, expert.severity.COMMENT)
local unknown = ProtoExpert.new("devp2p.unknown", "A header of another version", expert.group.MALFORMED, expert.severity.ERROR)
devp2p.experts = { absent, unknown }

-- Who a packet comes from, and where it goes
local ENDS = { [0] = { "this node", "peer" }, [1] = { "peer", "this node" }, [2] = { "this node", "this node" } }
local FIXED = 34

local function numbers(buffer, tree, known)
    for bit, name in ipairs({ "code", "wire", "size" }) do
        local range = buffer(10 + 8 * (bit - 1), 8)
        if math.floor(known / 2 ^ (bit - 1)) % 2 == 1 then tree:add(field[name], range) end
    end
end

local function texts(buffer, tree)
    local found, offset = {}, FIXED
    for index, name in ipairs({ "layer", "name", "detail" }) do
        local length = buffer(4 + 2 * (index - 1), 2):uint()
        found[name] = length > 0 and buffer(offset, length):string() or ""
        if length > 0 then tree:add(field[name], buffer(offset, length)) end
        offset = offset + length
    end
    return found, offset
end

function devp2p.dissector(buffer, packet, root)
    local tree = root:add(devp2p, buffer())
    if buffer:len() < FIXED or buffer(0, 1):uint() ~= VERSION then
        tree:add_proto_expert_info(unknown)
        return
    end
    local side, kind = buffer(1, 1):uint(), buffer(2, 1):uint()
    tree:add(field.side, buffer(1, 1))
    tree:add(field.kind, buffer(2, 1))
    local text, start = texts(buffer, tree)
    numbers(buffer, tree, buffer(3, 1):uint())
    if buffer:len() > start then tree:add(field.payload, buffer(start)) end
    if buffer:reported_len() > buffer:len() then tree:add_proto_expert_info(absent) end

    local ends = ENDS[side] or ENDS[2]
    packet.cols.src, packet.cols.dst, packet.cols.protocol = ends[1], ends[2], text.layer
    local what = text.name
    if KINDS[kind] ~= "message" and KINDS[kind] ~= "handshake" then what = (KINDS[kind] or "unknown") .. ": " .. what end
    if text.detail ~= "" then what = what .. ", " .. text.detail end
    packet.cols.info = what
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, devp2p)
