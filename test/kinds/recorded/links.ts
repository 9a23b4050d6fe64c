/** Links as `ip -j -d address show` of iproute2 6.1 prints them on Linux 6.1, without what nobody reads. */
export const links = {
  gretap: {
    ifindex: 110,
    link: null,
    ifname: "g0",
    flags: ["BROADCAST", "MULTICAST"],
    mtu: 1458,
    operstate: "DOWN",
    txqlen: 1000,
    link_type: "ether",
    address: "02:00:00:00:00:01",
    linkinfo: {
      info_kind: "gretap",
      info_data: {
        remote: "10.0.0.2",
        local: "10.0.0.1",
        ttl: 0,
        pmtudisc: true,
        ikey: "0.0.0.5",
        okey: "0.0.0.5",
      },
    },
    ifalias: "hostnet:a1b2:c3",
    addr_info: [],
  },
  macvtap: {
    ifindex: 20000000,
    link: "eth1",
    ifname: "mt",
    flags: ["BROADCAST", "MULTICAST", "M-DOWN"],
    mtu: 1500,
    operstate: "DOWN",
    txqlen: 500,
    link_type: "ether",
    address: "02:00:00:00:00:03",
    linkinfo: {
      info_kind: "macvtap",
      info_data: {
        mode: "bridge",
        bcqueuelen: 1000,
        usedbcqueuelen: 1000,
      },
    },
    addr_info: [],
  },
  tap: {
    ifindex: 2,
    ifname: "t0",
    flags: ["BROADCAST", "MULTICAST"],
    mtu: 1500,
    operstate: "DOWN",
    txqlen: 1000,
    link_type: "ether",
    address: "f2:fb:e2:70:0f:fe",
    linkinfo: {
      info_kind: "tun",
      info_data: {
        type: "tap",
        pi: true,
        vnet_hdr: true,
        multi_queue: true,
        numqueues: 0,
        numdisabled: 0,
        persist: true,
        user: "nobody",
        group: "lp",
      },
    },
    addr_info: [],
  },
  vlan: {
    ifindex: 20,
    link: "eth1",
    ifname: "v5",
    flags: ["BROADCAST", "MULTICAST"],
    mtu: 1500,
    operstate: "DOWN",
    txqlen: 1000,
    link_type: "ether",
    address: "52:54:00:00:00:03",
    linkinfo: {
      info_kind: "vlan",
      info_data: {
        protocol: "802.1Q",
        id: 5,
        flags: ["REORDER_HDR"],
        ingress_qos: [{ from: 1, to: 5 }],
        egress_qos: [
          { from: 5, to: 1 },
          { from: 6, to: 2 },
        ],
      },
    },
    addr_info: [],
  },
  vxlan: {
    ifindex: 8,
    ifname: "vx",
    flags: ["BROADCAST", "MULTICAST"],
    mtu: 1430,
    operstate: "DOWN",
    txqlen: 1000,
    link_type: "ether",
    address: "02:00:00:00:00:05",
    linkinfo: {
      info_kind: "vxlan",
      info_data: {
        ...{ id: 5, remote: "10.87.0.2", local: "10.87.0.1", link: "d0", port_range: { low: 40000, high: 50000 } },
        ...{ port: 4790, learning: false, proxy: true, rsc: true, l2miss: true, l3miss: true, tos: "0x20", ttl: 9 },
        ...{ df: "set", ageing: 60, limit: 99, udp_csum: false, udp_zero_csum6_tx: true, udp_zero_csum6_rx: true },
        ...{ remcsum_tx: true, remcsum_rx: true, gbp: true },
      },
    },
    addr_info: [],
  },
  plainVxlan: {
    id: 5,
    port_range: { low: 0, high: 0 },
    ...{ port: 4789, learning: true, ttl: 0, df: "unset", ageing: 300 },
    ...{ udp_csum: true, udp_zero_csum6_tx: false, udp_zero_csum6_rx: false },
  },
  bond: {
    ifindex: 13,
    ifname: "b0",
    flags: ["BROADCAST", "MULTICAST", "MASTER"],
    mtu: 1500,
    operstate: "DOWN",
    txqlen: 1000,
    link_type: "ether",
    address: "02:00:00:00:00:06",
    linkinfo: {
      info_kind: "bond",
      info_data: {
        ...{ mode: "active-backup", active_slave: "e1", miimon: 0, updelay: 0, downdelay: 0, peer_notify_delay: 0 },
        ...{ use_carrier: 1, arp_interval: 100, arp_missed_max: 2, arp_ip_target: ["10.0.0.1", "10.0.0.2"] },
        ...{ ns_ip6_target: ["fd00::1"], arp_validate: null, arp_all_targets: "any", primary: "e1" },
        ...{ primary_reselect: "always", fail_over_mac: "none", xmit_hash_policy: "layer2", resend_igmp: 1 },
        ...{ num_peer_notif: 1, all_slaves_active: 0, min_links: 0, lp_interval: 1, packets_per_slave: 1 },
        ...{ ad_lacp_active: "on", ad_lacp_rate: "slow", ad_select: "stable", tlb_dynamic_lb: 1 },
      },
    },
    addr_info: [],
  },
  bridge: {
    ifindex: 111,
    ifname: "kb",
    flags: ["BROADCAST", "MULTICAST"],
    mtu: 1500,
    operstate: "DOWN",
    txqlen: 1000,
    link_type: "ether",
    address: "32:ae:ed:4a:05:f7",
    linkinfo: {
      info_kind: "bridge",
      info_data: {
        forward_delay: 1500,
        hello_time: 200,
        max_age: 2000,
        ageing_time: 30000,
        stp_state: 0,
        priority: 32768,
        vlan_filtering: 1,
        vlan_protocol: "802.1Q",
        bridge_id: "8000.32:ae:ed:4a:5:f7",
        root_id: "8000.32:ae:ed:4a:5:f7",
        root_port: 0,
        root_path_cost: 0,
        topology_change: 0,
        topology_change_detected: 0,
        hello_timer: 0.0,
        tcn_timer: 0.0,
        topology_change_timer: 0.0,
        gc_timer: 0.0,
        vlan_default_pvid: 1,
        vlan_stats_enabled: 0,
        vlan_stats_per_port: 0,
        group_fwd_mask: "0",
        group_addr: "01:80:c2:00:00:00",
        mcast_snooping: 1,
        no_linklocal_learn: 0,
        mcast_vlan_snooping: 0,
        mcast_router: 1,
        mcast_query_use_ifaddr: 0,
        mcast_querier: 0,
        mcast_hash_elasticity: 16,
        mcast_hash_max: 4096,
        mcast_last_member_cnt: 2,
        mcast_startup_query_cnt: 2,
        mcast_last_member_intvl: 100,
        mcast_membership_intvl: 26000,
        mcast_querier_intvl: 25500,
        mcast_query_intvl: 12500,
        mcast_query_response_intvl: 1000,
        mcast_startup_query_intvl: 3124,
        mcast_stats_enabled: 0,
        mcast_igmp_version: 2,
        mcast_mld_version: 1,
        nf_call_iptables: 0,
        nf_call_ip6tables: 0,
        nf_call_arptables: 0,
      },
    },
    addr_info: [],
  },
  dummy: {
    ifindex: 5,
    ifname: "d0",
    flags: ["BROADCAST", "NOARP"],
    mtu: 1500,
    operstate: "DOWN",
    txqlen: 1000,
    link_type: "ether",
    address: "02:00:00:00:00:07",
    linkinfo: { info_kind: "dummy" },
    addr_info: [],
  },
  port: {
    ifindex: 112,
    ifname: "kd",
    flags: ["BROADCAST", "NOARP"],
    mtu: 1500,
    master: "kb",
    operstate: "DOWN",
    txqlen: 1000,
    link_type: "ether",
    address: "32:ae:ed:4a:05:f7",
    linkinfo: {
      info_kind: "dummy",
      info_slave_kind: "bridge",
      info_slave_data: {
        state: "disabled",
        priority: 32,
        cost: 100,
        hairpin: false,
        guard: false,
        root_block: false,
        fastleave: false,
        learning: true,
        flood: true,
        id: "0x8001",
        no: "0x1",
        designated_port: 32769,
        designated_cost: 0,
        bridge_id: "8000.32:ae:ed:4a:5:f7",
        root_id: "8000.32:ae:ed:4a:5:f7",
        hold_timer: 0.0,
        message_age_timer: 0.0,
        forward_delay_timer: 0.0,
        topology_change_ack: 0,
        config_pending: 0,
        proxy_arp: false,
        proxy_arp_wifi: false,
        multicast_router: 1,
        mcast_flood: true,
        bcast_flood: true,
        mcast_to_unicast: false,
        neigh_suppress: false,
        group_fwd_mask: "0",
        group_fwd_mask_str: "0x0",
        vlan_tunnel: false,
        isolated: true,
        locked: false,
      },
    },
    addr_info: [],
  },
  nic: {
    ifindex: 3,
    ifname: "eth1",
    flags: ["BROADCAST", "MULTICAST"],
    mtu: 1500,
    operstate: "DOWN",
    txqlen: 1000,
    link_type: "ether",
    address: "52:54:00:00:00:03",
    addr_info: [],
  },
  macvlan: {
    ifindex: 1234567,
    link_index: 3,
    ifname: "eth0",
    flags: ["BROADCAST", "MULTICAST"],
    mtu: 1500,
    operstate: "DOWN",
    txqlen: 1000,
    link_type: "ether",
    address: "02:00:00:00:00:02",
    link_netnsid: 0,
    linkinfo: {
      info_kind: "macvlan",
      info_data: {
        mode: "source",
        bcqueuelen: 1000,
        usedbcqueuelen: 1000,
        macaddr_count: 1,
        macaddr_data: ["02:00:00:00:00:0b"],
      },
    },
    addr_info: [],
  },
};

export const bridgeVlans = [
  { ifname: "kb", vlans: [{ vlan: 1, flags: ["PVID", "Egress Untagged"] }] },
  { ifname: "kd", vlans: [{ vlan: 1, flags: ["PVID", "Egress Untagged"] }, { vlan: 20 }, { vlan: 21 }] },
];

export const rings = `Ring parameters for eth1:
Pre-set maximums:
RX:\t\t256
RX Mini:\tn/a
RX Jumbo:\tn/a
TX:\t\t256
Current hardware settings:
RX:\t\t256
RX Mini:\tn/a
RX Jumbo:\tn/a
TX:\t\t256
RX Buf Len:\t\tn/a
TX Push:\toff
`;

export const features = `Features for eth0:
generic-receive-offload: off

Features for eth1:
rx-checksumming: on [fixed]
tx-checksumming: off
\ttx-checksum-ipv4: off [fixed]
scatter-gather: off
generic-segmentation-offload: off [requested on]
generic-receive-offload: on
`;

export const nicPaths = `total 0
lrwxrwxrwx 1 root root 0 Nov 23 22:08 eth0 -> ../../devices/pci0000:00/0000:00:01.0/virtio0/net/eth0
lrwxrwxrwx 1 root root 0 Nov 23 22:08 eth1 -> ../../devices/pci0000:00/0000:00:03.0/virtio1/net/eth1
lrwxrwxrwx 1 root root 0 Nov 23 22:08 lo -> ../../devices/virtual/net/lo
`;
