import { canonicalMatch } from "../../provider/model/ovs-match";

/** Spellings that `ovs-ofctl -O OpenFlow14 parse-flows` of OVS 3.1 prints as one text each. */
const spellings = [
  ["ip", "dl_type=0x800", "eth_type=2048", "ip,nw_src=0.0.0.0/0", "ip,nw_src=*", "ip,ip"],
  ["ip,nw_src=10.0.0.0/24", "nw_src=10.0.0.5/24,ip", "ip,ip_src=10.0.0.0/255.255.255.0"],
  ["ip,nw_src=10.0.0.1", "ip,nw_src=10.0.0.1/32", "ip_src:10.0.0.1,dl_type=0x0800", "ip,nw_src(10.0.0.1)"],
  ["tcp,tp_dst=80", "tcp,tcp_dst=0x50", "ip,nw_proto=6,tp_dst=80", "tp_dst=80,tcp"],
  ["icmp6,icmp_type=135", "icmp6,icmpv6_type=135", "icmp6,tp_src=135"],
  ["arp,arp_op=1", "arp,nw_proto=1"],
  ["arp,arp_spa=10.0.0.1", "arp,nw_src=10.0.0.1"],
  ["dl_src=aa:bb:cc:dd:ee:0f", "eth_src=AA:BB:CC:DD:EE:F", "dl_src=aa:bb:cc:dd:ee:0f/ff:ff:ff:ff:ff:ff"],
  ["dl_src=aa:bb:cc:00:00:00/ff:ff:ff:00:00:00", "eth_src=aa:bb:cc:dd:ee:ff/ff:ff:ff:00:00:00"],
  ["dl_vlan=5", "dl_vlan=0x5", "vlan_vid=0x1005", "vlan_vid=0x1005/0x1fff", "vlan_tci=0x1005/0x1fff"],
  ["dl_vlan=5,dl_vlan_pcp=3", "vlan_vid=0x1005,vlan_pcp=3", "vlan_tci=0x7005"],
  ["dl_vlan=0xffff", "vlan_tci=0/0x1fff"],
  ["ip,nw_tos=16", "ip,ip_dscp=4"],
  ["ip,nw_ecn=1", "ip,ip_ecn=1"],
  ["tun_id=0x64", "tunnel_id=100"],
  ["in_port=LOCAL", "in_port=local", "in_port=65534"],
  ["ct_state=+est+trk-new,ip", "ip,ct_state=-new+trk+est"],
  ["ipv6,ipv6_src=2001:db8::1", "ip6,ipv6_src=2001:DB8:0::1/128"],
  ["ipv6,ipv6_src=2001:db8::/64", "ipv6,ipv6_src=2001:db8::1/64", "ipv6,ipv6_src=2001:db8::/ffff:ffff:ffff:ffff::"],
  ["", "dl_vlan=*", "tun_id=0/0"],
  ["reg0=0x5/0xffff", "reg0=0xff0005/0xffff"],
];

/** What it prints as texts of their own, or what only it can tell. */
const others = [
  ...["in_port=1", 'in_port="a"', 'in_port="a,b"', 'in_port="b,a"', "in_port=010", "in_port=8"],
  ...["ipv6", "arp", "tcp", "udp", "tcp6", "sctp", "icmp", "icmp6", "mpls", "mplsm", "rarp"],
  ...["udp,tp_dst=80", "tcp,tp_src=80", "tcp6,tp_dst=80", "tcp,tp_dst=0x50/0xfff0", "icmp,icmp_type=135"],
  ...["ip,nw_src=10.0.0.0", "ip,nw_src=10.0.0.0/25", "ip,nw_dst=10.0.0.1", "dl_dst=aa:bb:cc:dd:ee:0f"],
  ...["dl_vlan=6", "vlan_vid=5", "dl_vlan=5,dl_vlan_pcp=0", "dl_vlan_pcp=3", "vlan_vid=0x1000/0x1000"],
  ...["ct_state=+trk", "ct_state=-trk", "reg0=5", "reg1=5", "reg0=5/010", "xreg0=5", "metadata=0x64"],
];

describe("canonicalMatch", () => {
  it.each(spellings)("is one for %s and its other spellings", (...texts) => {
    expect(new Set(texts.map(canonicalMatch)).size).toBe(1);
  });

  it("differs where Open vSwitch sees two matches", () => {
    const all = [...spellings.map(([text = ""]) => text), ...others];
    expect(new Set(all.map(canonicalMatch)).size).toBe(all.length);
  });
});
