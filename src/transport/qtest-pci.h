/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI set-up of a q35 machine whose firmware does nothing: what a BIOS would do for one device.
 * Calls belong to an exchange (qtest-wire.h) and leave their errors there.
 */
#pragma once

#include "transport/qtest-wire.h"

#define FWA_PCI_MMCONFIG 0xb0000000u
/* Where memory windows begin; each BAR gets a slot, the largest that our devices have. */
#define FWA_PCI_WINDOW 0xe8000000u
#define FWA_PCI_SLOT 0x100000u

/* The address of function 0's configuration space. */
#define FWA_PCI_CONFIG(bus, device) \
	(FWA_PCI_MMCONFIG + ((uint32_t)(bus) << 20) + ((uint32_t)(device) << 15))

/* Makes configuration space visible at FWA_PCI_MMCONFIG. */
void fwa_pci_start(struct fwa_qtest *q);
/* Opens the bridge @config to @bus behind it, and to the one MiB-granular window [@from, @to]. */
void fwa_pci_bridge(struct fwa_qtest *q, uint32_t config, uint8_t own_bus, uint8_t bus,
		    uint32_t from, uint32_t to);
/*
 * Resets the whole machine, as its reset button does, and waits until that has happened: afterwards
 * everything is to be set up anew.
 */
void fwa_pci_reset_machine(struct fwa_qtest *q);
/* Resets what is behind the bridge @config, which loses its BARs and its command register. */
void fwa_pci_reset_bus(struct fwa_qtest *q, uint32_t config);
/* Puts 64-bit memory BAR @bar (0, 2, 4) at @addr; the exchange fails when it does not stay there. */
void fwa_pci_place(struct fwa_qtest *q, uint32_t config, unsigned int bar, uint32_t addr);
/* Lets the device answer memory accesses and be a bus master. */
void fwa_pci_enable(struct fwa_qtest *q, uint32_t config);
/* Vendor id in bits 15:0, device id in 31:16; the exchange fails when there is no device. */
uint32_t fwa_pci_id(struct fwa_qtest *q, uint32_t config);
/* The Device Serial Number capability, 0 when the device has none. */
uint64_t fwa_pci_serial(struct fwa_qtest *q, uint32_t config);
