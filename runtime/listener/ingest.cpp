#include "runtime/listener/ingest.hpp"

#include "schema/record_codec.hpp"

#include <memory>
#include <utility>

namespace runtime {
namespace {

/// The beginning of a text, cut between characters.
std::string beginning(std::string_view text, std::size_t bytes_max) {
    if (text.size() > bytes_max) {
        while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xc0) == 0x80)
            --bytes_max;
        text = text.substr(0, bytes_max);
    }
    return std::string{text};
}

actors::Draft draft_of(journeys::CustomerId customer, std::string bytes, journeys::Record record) {
    actors::Draft draft;
    draft.kind = schema::kind_of(record);
    draft.message_hash = schema::message_hash(record);
    draft.bytes = std::move(bytes);
    draft.customer = std::move(customer);
    draft.record = std::make_shared<journeys::Record>(std::move(record));
    return draft;
}

} // namespace

schema::Decoded<Taken> Ingest::take(std::string_view text, const schema::Envelope& envelope,
                                    std::string_view key_name, std::size_t readable_after) {
    auto frame = decoder_.decode(text, envelope, readable_after);
    if (!frame) return std::move(frame).error();

    Taken taken;
    taken.drafts.reserve(frame->items.size());
    const auto refuse = [&](const schema::DecodedItem& item, schema::RejectReason reason,
                            std::string detail) {
        taken.refused.push_back({reason, detail, item.message_id,
                                 beginning(item.source.raw, RejectedMessage::raw_bytes_max),
                                 std::string{envelope.key_of_message ? item.key_name : key_name},
                                 envelope.received_at, item.ids});
        taken.rejected.push_back({item.source.index, item.message_id, std::move(detail)});
    };

    for (auto& item : frame->items) {
        if (!item.event) {
            refuse(item, item.event.error().reason, item.event.error().detail);
            continue;
        }
        auto routing = identities_.route(*item.event, envelope.received_at);
        if (routing.customer.value.empty()) {
            item.ids = item.event->ids;
            refuse(item, schema::RejectReason::no_identity,
                   "every id of the message is a stand-in for nobody");
            continue;
        }
        journeys::Record record;
        record.customer = routing.customer;
        record.body = std::move(*item.event);
        taken.drafts.push_back(
            draft_of(std::move(routing.customer), schema::encode(item.source), std::move(record)));
        ++taken.accepted;
        ++taken.clocks[static_cast<std::size_t>(item.clock)];
        taken.links += routing.links.size();
        taken.refused_links += routing.refused_links;
        for (auto& link : routing.links) {
            journeys::Record linked;
            linked.customer = link.loser;
            linked.body = std::move(link.link);
            auto bytes = schema::encode(linked);
            taken.drafts.push_back(
                draft_of(std::move(link.loser), std::move(bytes), std::move(linked)));
        }
    }
    return taken;
}

} // namespace runtime
